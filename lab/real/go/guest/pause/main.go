// Copyright (c) 2026 Slipway contributors
// BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
// SPDX-License-Identifier: BSD-2-Clause

// The container that holds a pod's namespaces: it waits, and ends when told to. With -v it says its version and ends at
// once: kubeadm runs that as a Job before an upgrade, to see that the cluster runs anything.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-v" {
		fmt.Println("pause, of the lab")
		return
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGINT, syscall.SIGTERM)
	<-told
}
