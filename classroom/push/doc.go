// Package push carries news from those who change something to the open pages that show it: a lesson went live,
// somebody raised a hand. Topics are ids, of lessons as a rule.
//
//	Publish(topic, event) ─► every channel that Subscribe gave for the topic
//
// News is a wake-up, not the truth: who subscribes reads the present state from the database once, then follows.
// So an event may be lost, and a page that was away catches up by reading again.
//
// Publish never waits. Each subscriber has a bounded queue; one whose queue is full is dropped: its channel is
// closed, its page comes back and reads the present state. A slow page never slows a class. Events of one topic
// reach a subscriber in the order of their ids.
//
// Local is the bus of one process. It starts no goroutine: a subscription ends with its context.
package push
