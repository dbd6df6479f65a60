// Package rtsp takes streams from RTSP and RTSPS encoders: room cameras, GStreamer, ffmpeg. It only ever reads
// media (ANNOUNCE, SETUP, RECORD, TEARDOWN); DESCRIBE and PLAY are refused, so nothing can be watched here.
//
//	bytes ─► door (vets requests) ─► gortsplib ─► handler ─► ingest.Desk
//	                                    │ RTP, RTCP
//	                                    ▼
//	                 queue ─► publisher ─► video, audio (units) ─► clock (align) ─► ingest.Session
//
// The protocol machine is gortsplib v4. It crashes the process when it panics in one of its own goroutines, so
// the door looks at every request first: it tries the parsers out where a panic can be caught, lets a stranger
// say OPTIONS and ANNOUNCE only, and never hands on the id of somebody else's session. Callbacks of the library
// only put packets into a bounded queue; each publisher has one goroutine that decodes them and calls the
// session. A full queue blocks a TCP encoder; from a UDP encoder it loses packets, which are counted, and the
// picture goes on at the next keyframe.
//
// Media: H.264 and HEVC (RFC 6184, RFC 7798), AAC (RFC 3640, and the LATM form of RFC 6416 that GStreamer chooses
// by itself), Opus (RFC 7587). Anything else is refused in words at ANNOUNCE. RTP times of the tracks start
// anywhere; sender reports (RFC 3550 section 6.4.1) say how they belong together. The first frames wait up to 3 s
// for these; without them the time of arrival decides, and a report that comes later moves one track forward
// at the next keyframe.
//
// Before a stream key was accepted, package guard bounds time and bytes. Serve waits for all goroutines.
package rtsp
