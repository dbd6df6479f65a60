// Package sample is the lesson that a demo school shows: 24 s of H.264 with B-frames and AAC, drawn by make.sh and
// embedded as FLV, whose tags are the messages of RTMP. Push is an encoder: it sends them to a server at real
// time, over and over, with timestamps that go on from round to round, until its context ends. Clip does the same
// with any FLV file, for load tests.
//
// It speaks RTMP through gortmplib, an implementation that is not ours, so that the demo exercises the server the
// way a stranger's encoder does. One goroutine sends (the caller's), one listens for the server hanging up; Push
// returns when both have ended.
package sample
