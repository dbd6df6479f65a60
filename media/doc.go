// Package media holds the nouns of a broadcast: what a stream is made of (Track, Params, Frame), who may
// publish it (Key, Attempt, Grant, Refusal) and how well it arrives (Health). It computes on values only: no
// goroutine, no clock, no I/O, and it imports nothing of ours. Both wings of the house speak these words and
// share nothing else.
//
// Media time is integer ticks of a track's clock from end to end; time.Duration appears for wall clock only.
// Everything that is handed on is read-only from then on: Params never change (a change makes new Params), and
// a Frame's Data is never written again.
package media
