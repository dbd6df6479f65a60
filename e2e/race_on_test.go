//go:build race

package e2e

// buildFlags of the binary: where the tests look for races, so does the server.
var buildFlags = []string{"-race", "-tags", "nomsgpack"}
