//go:build !race

package e2e

// buildFlags of the binary.
var buildFlags = []string{"-tags", "nomsgpack"}
