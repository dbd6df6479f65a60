// Command chalkcast is a broadcast school in one binary: encoders stream in, students watch, the register is kept.
//
//	main.go    sub-commands          config.go  every setting, its flag, variable and line in the settings file
//	serve.go   opens, wires and runs all parts in one errgroup
//	bridge.go  the few closures that join the media wing and the classroom wing
//	demo.go    a made-up school with a lesson on air       user.go, migrate.go, check.go  the rest
//
// It is the one place that knows every package. See docs/architecture.md for the house.
package main
