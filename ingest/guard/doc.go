// Package guard stands in front of every ingest port, where strangers connect. It wraps a net.Listener: until a
// connection has shown a stream key (Conn.Accepted) it may be slow for only so long, send only so much and take
// only so many places.
//
//	TCP ─► guard.Listener ─► tls.Listener (RTMPS, RTSPS) ─► server
//
// TLS is put outside, so that its handshake is paid from the same budget; Of finds the guard's connection below
// it. Nothing is queued: a connection too many is closed at once, which costs a flood more than it costs us.
//
// Three rules keep a good encoder in while strangers flood. An address that brought a good key lately does not
// compete with strangers for the accept rate and may take more places. When all places are taken, a stranger who
// has held one for a second without showing a key loses it. An address whose keys keep failing is turned away for
// a while before it costs anything.
//
// Listener and Conn start no goroutine. All methods are safe for concurrent use.
package guard
