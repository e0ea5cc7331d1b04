{{/* Names and labels. The component functions take (dict "root" $ "name" … "component" …). */}}
{{- define "addon.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "addon.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "component.fullname" -}}
{{- printf "%s-%s" (include "addon.fullname" .root) .name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "component.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "component.labels" -}}
{{ include "addon.labels" .root }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "component.image" -}}
{{- $image := .component.image -}}
{{- $registry := .root.Values.global.registry | default $image.registry -}}
{{- printf "%s/%s:%s" $registry $image.repository ($image.tag | default .root.Chart.AppVersion) -}}
{{- end }}

{{- define "component.pod" -}}
{{- $c := .component -}}
metadata:
  annotations:
    checksum/config: {{ toJson .root.Values.settings | sha256sum }}
    {{- with $c.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  labels:
    {{- include "component.labels" . | nindent 4 }}
spec:
  serviceAccountName: {{ include "component.fullname" . }}
  automountServiceAccountToken: true
  {{- with .root.Values.global.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65534
    fsGroup: 65534
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: {{ .name }}
      image: {{ include "component.image" . }}
      imagePullPolicy: {{ .root.Values.global.pullPolicy }}
      args:
        - --log-level={{ .root.Values.settings.logLevel }}
        {{- range $key, $value := $c.flags }}
        - --{{ kebabcase $key }}={{ $value }}
        {{- end }}
      env:
        - name: POD_NAMESPACE
          valueFrom:
            fieldRef:
              fieldPath: metadata.namespace
        {{- range $key, $value := $c.env }}
        - name: {{ $key | upper }}
          value: {{ $value | quote }}
        {{- end }}
      ports:
        {{- range $port := $c.ports }}
        - name: {{ $port.name }}
          containerPort: {{ $port.port }}
          protocol: {{ $port.protocol | default "TCP" }}
        {{- end }}
      livenessProbe:
        httpGet:
          path: /healthz
          port: {{ (first $c.ports).name }}
        initialDelaySeconds: 10
        periodSeconds: 20
      readinessProbe:
        httpGet:
          path: /readyz
          port: {{ (first $c.ports).name }}
        periodSeconds: 10
      resources:
        {{- toYaml $c.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      volumeMounts:
        - name: config
          mountPath: /etc/addon
          readOnly: true
        - name: tmp
          mountPath: /tmp
        {{- if $c.storage }}
        - name: data
          mountPath: /data
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "addon.fullname" .root }}-config
    - name: tmp
      emptyDir: {}
  {{- with $c.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $c.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if ne $c.kind "DaemonSet" }}
  affinity:
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 100
          podAffinityTerm:
            topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels:
                {{- include "component.selector" . | nindent 16 }}
  {{- end }}
{{- end }}
