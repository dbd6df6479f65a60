// Package e2e tests the whole house as people use it: it builds the binary, starts it as a process of its own on free
// ports and an empty folder, publishes with ffmpeg, watches with Chromium and with a strict LL-HLS client, kills
// what can be killed, and compares what comes out with what went in.
//
//	ffmpeg ──RTMP──► chalkcast (a child process) ◄──HTTP── Chromium, hlstest, the API
//
// Everything a test starts belongs to it and ends with it. A school is a demo school without a broadcast, so that
// there are courses and people; its credentials come from the file that the demo writes. What the servers log is
// kept in the test's folder, shown when the test fails, and searched for secrets when it ends.
//
// CHALKCAST_SCREENSHOTS names the folder that keeps the pictures that the browser tests take.
package e2e
