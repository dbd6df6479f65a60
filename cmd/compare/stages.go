package main

import (
	"context"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// partLengths are those of the profiles that both servers are measured with.
var partLengths = []struct {
	profile string
	length  time.Duration
}{{"low", 200 * time.Millisecond}, {"balanced", 500 * time.Millisecond}}

// both measures both servers at one time, with the same arguments.
func (b *bench) both(ctx context.Context, classes int, profile string, part time.Duration, args ...string) (ours, peer *report, err error) {
	us, err := b.ours(ctx, anywhere, classes, profile)
	if err != nil {
		return nil, nil, err
	}
	defer us.stop()
	them, err := b.peer(ctx, anywhere, part)
	if err != nil {
		return nil, nil, err
	}
	defer them.stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { ours, err = b.surge(ctx, us, anywhere, args...); return err })
	g.Go(func() (err error) { peer, err = b.surge(ctx, them, anywhere, args...); return err })
	return ours, peer, g.Wait()
}

// ingest measures what streams cost that nobody watches.
func (b *bench) ingest(ctx context.Context) error {
	b.say("| streams | CPU ms per stream-second | peer | ours/peer | RSS MB | peer |\n|---|---|---|---|---|---|")
	var first, last [2]float64
	for i, n := range b.Streams {
		ours, peer, err := b.both(ctx, n, "balanced", 500*time.Millisecond,
			"--encoders", strconv.Itoa(n), "--join", "1ms", "--settle", b.Settle.String())
		if err != nil {
			return err
		}
		b.say("| %d | %.2f | %.2f | %.2f | %.0f | %.0f |", n, ours.Server.PerStream, peer.Server.PerStream,
			ours.Server.PerStream/peer.Server.PerStream, ours.Server.RSS, peer.Server.RSS)
		if last = [2]float64{ours.Server.RSS, peer.Server.RSS}; i == 0 {
			first = last
		}
	}
	if more := float64(b.Streams[len(b.Streams)-1] - b.Streams[0]); more > 0 {
		b.say("\nMemory for one stream more: ours %.1f MB, peer %.1f MB.\n", (last[0]-first[0])/more, (last[1]-first[1])/more)
	}
	return nil
}

// delay measures how old a part is when a player has it.
func (b *bench) delay(ctx context.Context) error {
	b.say("| parts | p50 ms | peer | p99 ms | peer |\n|---|---|---|---|---|")
	for _, p := range partLengths {
		ours, peer, err := b.both(ctx, 1, p.profile, p.length, "--encoders", "1", "--viewers", "1", "--join", "1ms", "--settle", "5s")
		if err != nil {
			return err
		}
		b.say("| %v | %.1f | %.1f | %.1f | %.1f |", p.length, ours.Fresh.P50, peer.Fresh.P50, ours.Fresh.P99, peer.Fresh.P99)
	}
	b.say("")
	return nil
}

// The cores of the stages that have one for the server and one for the load.
const (
	serverCore = 0
	loadCore   = 1
)

// viewers measures how many follow live on one core.
func (b *bench) viewers(ctx context.Context) error {
	b.say("| server | parts | viewers | stalled %% | CPU %% | load's CPU %% | errors |\n|---|---|---|---|---|---|---|")
	part := partLengths[0]
	peer, err := climb(b.Viewers, b.Viewers/4, func(n int) (bool, error) {
		return b.follow(ctx, "peer", part.length, n, func() (*server, error) { return b.peer(ctx, serverCore, part.length) })
	})
	if err != nil {
		return err
	}
	try := func(profile string, part time.Duration) func(int) (bool, error) {
		return func(n int) (bool, error) {
			return b.follow(ctx, "ours", part, n, func() (*server, error) { return b.ours(ctx, serverCore, 1, profile) })
		}
	}
	ours, err := climb(3*b.Viewers, b.Viewers/2, try(part.profile, part.length))
	if err != nil {
		return err
	}
	usual, err := climb(2000, 500, try(partLengths[1].profile, partLengths[1].length))
	if err != nil {
		return err
	}
	b.say("\nWith parts of %v: ours %d, peer %d. With the default profile: ours %d.\n", part.length, ours, peer, usual)
	return nil
}

func (b *bench) follow(ctx context.Context, name string, part time.Duration, n int, open func() (*server, error)) (bool, error) {
	s, err := open()
	if err != nil {
		return false, err
	}
	defer s.stop()
	r, err := b.surge(ctx, s, loadCore, "--encoders", "1", "--viewers", strconv.Itoa(n), "--join", "8s", "--settle", "4s")
	if err != nil {
		return false, err
	}
	b.say("| %s | %v | %d | %.3f | %.0f | %.0f | %s |", name, part, n, r.StalledPct, r.Server.CPUPct, r.Own.CPUPct, r.problems())
	return r.good(), nil
}

// maxTries bounds a climb.
const maxTries = 4

// climb returns the highest number with which try was good: up from the first in steps, or down when that was not.
func climb(first, step int, try func(int) (bool, error)) (best int, err error) {
	for n, tries := first, 0; n > 0 && tries < maxTries; tries++ {
		ok, err := try(n)
		switch {
		case err != nil:
			return best, err
		case ok:
			best, n = n, n+step
		case best > 0:
			return best, nil
		default:
			n -= step
		}
		if best > 0 && best < first {
			return best, nil // on the way down
		}
	}
	return best, nil
}

// plain measures viewers who fetch whole segments.
func (b *bench) plain(ctx context.Context) error {
	var cost [2]float64
	b.say("| server | plain viewers | stalled %% | CPU µs per viewer-second | errors |\n|---|---|---|---|---|")
	for i, open := range []func() (*server, error){
		func() (*server, error) { return b.ours(ctx, serverCore, 1, "balanced") },
		func() (*server, error) { return b.nginx(ctx, serverCore, loadCore) },
	} {
		s, err := open()
		if err != nil {
			return err
		}
		args := []string{"--plain", "--viewers", strconv.Itoa(b.Plain), "--join", "8s", "--settle", "8s"}
		if i == 0 {
			args = append(args, "--encoders", "1")
		}
		r, err := b.surge(ctx, s, loadCore, args...)
		s.stop()
		if err != nil {
			return err
		}
		cost[i] = r.Server.PerViewer
		b.say("| %s | %d | %.3f | %.1f | %s |", []string{"ours", "nginx"}[i], b.Plain, r.StalledPct, cost[i], r.problems())
	}
	b.say("\nOurs takes %.2f times as much as nginx.\n", cost[0]/cost[1])
	return nil
}
