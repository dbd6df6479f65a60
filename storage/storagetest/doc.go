// Package storagetest is the contract of storage.Store as a test suite, and a store that fails on command.
//
// Run takes a function that opens an empty store; memory, disk and s3 all pass it. Faulty wraps any store for
// the tests of those who use one: slow, down, full, forbidden, or taking half an object and saying that all is
// well.
package storagetest
