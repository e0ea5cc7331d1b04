{{- define "full.labels" -}}
app: {{ .Release.Name }}
{{- end -}}
