package main

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"chalkcast/ingest/guard"
	"chalkcast/ingest/rtmp"
	"chalkcast/ingest/rtsp"
)

// encoderDoor is a port where encoders come, and what it has counted.
type encoderDoor struct {
	name  string // of the setting
	guard *guard.Listener
	serve func(context.Context, net.Listener) error
	tls   *tls.Config // added in front of serve; nil: serve sees to it
	stats func() doorStats
}

// doorStats are what RTMP and RTSP count alike.
type doorStats struct{ broken, skipped, lost, panics uint64 }

// encoderDoors returns every open door for encoders.
func (sc *school) encoderDoors() (doors []*encoderDoor) {
	d := sc.doors
	for _, door := range []struct {
		name   string
		l      net.Listener
		secure *tls.Config
	}{{"rtmp", d.rtmp, nil}, {"rtmps", d.rtmps, d.tls}} {
		if door.l == nil {
			continue
		}
		server := rtmp.New(rtmp.Config{Desk: sc.desk, Log: sc.log})
		doors = append(doors, &encoderDoor{
			name: door.name, guard: guard.Listen(door.l, guard.Config{}), serve: server.Serve, tls: door.secure,
			stats: func() doorStats {
				st := server.Stats()
				return doorStats{broken: st.Broken, skipped: st.Skipped, panics: st.Panics}
			},
		})
	}
	for _, door := range []struct {
		name string
		l    net.Listener
		cfg  rtsp.Config
	}{{"rtsp", d.rtsp, rtsp.Config{UDP: sc.settings.RTSPUDP}}, {"rtsps", d.rtsps, rtsp.Config{TLS: d.tls}}} {
		if door.l == nil {
			continue
		}
		door.cfg.Desk, door.cfg.Log = sc.desk, sc.log
		server := rtsp.New(door.cfg)
		doors = append(doors, &encoderDoor{
			name: door.name, guard: guard.Listen(door.l, rtsp.GuardConfig()), serve: server.Serve,
			stats: func() doorStats {
				st := server.Stats()
				return doorStats{st.Broken, st.Skipped, st.Lost, st.Panics}
			},
		})
	}
	return doors
}

// openEncoderDoors serves encoders until ctx ends.
func (sc *school) openEncoderDoors(ctx context.Context, g *errgroup.Group) {
	doors := sc.encoderDoors()
	if err := sc.metrics.Register(doorMetrics(doors)); err != nil {
		sc.log.Error("metrics of the doors", "err", err)
	}
	for _, door := range doors {
		var l net.Listener = door.guard
		if door.tls != nil {
			l = tls.NewListener(l, door.tls)
		}
		g.Go(func() error { return door.serve(ctx, l) })
	}
}

// doorMetrics is what an operator sees of the doors; docs/operate.md lists it.
type doorMetrics []*encoderDoor

func describeDoor(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("chalkcast_ingest_"+name, help, append([]string{"door"}, labels...), nil)
}

var (
	doorConnections = describeDoor("connections_total", "Connections that were let in to show a stream key.")
	doorAccepted    = describeDoor("accepted_total", "Connections that showed a good stream key.")
	doorWaiting     = describeDoor("waiting", "Connections that have not shown a good stream key yet.")
	doorClosed      = describeDoor("closed_total", "Connections that the guard closed before they showed a good stream key.", "reason")
	doorBroken      = describeDoor("broken_total", "Connections or packets that were not the protocol.")
	doorSkipped     = describeDoor("skipped_total", "Messages and pictures that were left out: of tracks that are not taken, or until the next keyframe.")
	doorLost        = describeDoor("lost_packets_total", "RTP packets that never came or found the queue full.")
	doorPanics      = describeDoor("panics_total", "Connections that a bug ended.")
)

// Describe names every metric.
func (doorMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		doorConnections, doorAccepted, doorWaiting, doorClosed, doorBroken, doorSkipped, doorLost, doorPanics,
	} {
		to <- d
	}
}

// Collect reads the counters.
func (doors doorMetrics) Collect(to chan<- prometheus.Metric) {
	for _, door := range doors {
		counter := func(d *prometheus.Desc, v uint64, labels ...string) {
			to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{door.name}, labels...)...)
		}
		g, st := door.guard.Stats(), door.stats()
		counter(doorConnections, g.Connections)
		counter(doorAccepted, g.Accepted)
		to <- prometheus.MustNewConstMetric(doorWaiting, prometheus.GaugeValue, float64(door.guard.Waiting()), door.name)
		for reason, n := range map[string]uint64{
			"too_fast": g.TooFast, "too_many": g.TooMany, "too_many_of_address": g.TooManyIP, "penalty": g.Penalized,
			"evicted": g.Evicted, "too_slow": g.TooSlow, "too_long": g.TooLong,
		} {
			counter(doorClosed, n, reason)
		}
		counter(doorBroken, st.broken)
		counter(doorSkipped, st.skipped)
		counter(doorLost, st.lost)
		counter(doorPanics, st.panics)
	}
}
