// Package memory is an object store that forgets everything when the process ends: for tests, and for trying the
// server out on a machine where nothing may be written. It keeps every object as one byte slice.
package memory
