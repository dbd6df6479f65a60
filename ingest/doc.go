// Package ingest is the desk at which every encoder reports, whatever protocol it speaks. A connection (package
// rtmp or rtsp) turns bytes into frames; the desk asks the Gate whether the encoder may publish, keeps at most one
// encoder per teacher (takeover rule), repairs media time, measures health and hands frames to the Sink.
//
//	rtmp, rtsp ── Admit ─► Desk ── Gate.Admit ─► (classroom)
//	   │ Start, Write, End
//	   ▼
//	Session ─► timeline (repair) ─► meter (health) ─► Writer (hls)
//
// A Session belongs to its connection's goroutine, which reads, repairs, meters and cuts: there is no queue in
// between. The desk's own goroutine (Run) only reads health once a second. Timeline and meter are pure.
//
// Lock order: Desk.mu, then Session.mu. Neither is held across a call to Gate, Sink or Writer.
package ingest
