// Package hlstest is a strict viewer of Low-Latency HLS for tests. It follows a channel as a player does, by
// blocking reloads and parts, fetches everything it is told about, collects every access unit with its times, and
// fails on the first promise that is broken:
//
//   - media and discontinuity sequence numbers never go back, nor do lengths once announced change (I1);
//   - what is listed is there, with the bytes of its parts (I2);
//   - durations add up to decode times between discontinuities (I3), parts and segments are as long as they may be;
//   - a delta update says the same as the whole playlist.
//
// It shares no code with package hls: what one of them gets wrong the other does not believe.
package hlstest
