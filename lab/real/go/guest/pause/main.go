// Copyright (c) 2026 Slipway contributors
// BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
// SPDX-License-Identifier: BSD-2-Clause

// The container that holds a pod's namespaces: it waits, and ends when told to.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGINT, syscall.SIGTERM)
	<-told
}
