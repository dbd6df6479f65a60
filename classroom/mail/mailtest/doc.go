// Package mailtest is a real mail server (SMTP over loopback) for tests: it keeps what it is sent, can be stopped
// and started again at the same address, and can refuse what it is told to. It starts one goroutine for each run of
// the server, which ends with Stop or the test.
package mailtest
