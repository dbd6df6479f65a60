package rtsp_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"chalkcast/ingest/rtsp"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// certificate is one that nobody trusts.
func certificate(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func TestRTSPS(t *testing.T) {
	t.Parallel()
	s := mediatest.Stream{Duration: 2 * time.Second}
	p := open(t, func(c *rtsp.Config) { c.TLS = certificate(t) })
	publish(t, p.url(), file(t, "source.mp4", s.MP4()))
	p.waitEnd(t)
	compare(t, s, p.recorder, 1)
	if a := p.attempts[0]; a.Protocol != media.RTSPS || !a.Remote.Addr().IsLoopback() || a.Path != "/live" || a.Mistyped {
		t.Errorf("attempt %+v", a)
	}
}

func TestHEVCAndOpus(t *testing.T) {
	t.Parallel()
	p := open(t)
	run(t, "ffmpeg", "-hide_banner", "-nostdin", "-v", "warning",
		"-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25", "-f", "lavfi", "-i", "sine=sample_rate=48000",
		"-t", "3", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=25:bframes=2",
		"-c:a", "libopus", "-f", "rtsp", "-rtsp_transport", "tcp", p.url())
	p.waitEnd(t)
	video, pictures := p.frames(t, media.Video)
	audio, sounds := p.frames(t, media.Audio)
	if video.Params.Codec != media.HEVC || video.Params.Width != 160 || len(pictures) != 75 {
		t.Errorf("%+v, %d pictures, want 75 of HEVC", video.Params, len(pictures))
	}
	if audio.Params.Codec != media.Opus || audio.Clock != 48000 || len(sounds) < 149 {
		t.Errorf("%+v, %d sounds, want 150 of Opus", audio.Params, len(sounds))
	}
	late := 0
	for i, f := range pictures {
		if i > 0 && f.DTS <= pictures[i-1].DTS || f.CTO < 0 {
			t.Errorf("picture %d: DTS %d, CTO %d", i, f.DTS, f.CTO)
		}
		if f.CTO > 0 {
			late++
		}
	}
	if late == 0 {
		t.Error("no picture is reordered")
	}
	if apart := pictures[0].PTS().Duration(90000) - sounds[0].PTS().Duration(48000); apart.Abs() > 10*time.Millisecond {
		t.Errorf("the first picture is %v after the first sound", apart)
	}
}

// live is an ffmpeg that sends for a long time.
type live struct {
	*exec.Cmd
	said bytes.Buffer
}

func start(t *testing.T, p *place, args ...string) *live {
	t.Helper()
	s := mediatest.Stream{Duration: 15 * time.Second}
	l := &live{}
	all := append([]string{"-hide_banner", "-nostdin", "-v", "warning", "-re", "-i", file(t, "long.mp4", s.MP4()), "-c", "copy", "-f", "rtsp"}, args...)
	l.Cmd = exec.Command("ffmpeg", append(all, p.url())...)
	l.Stdout, l.Stderr = &l.said, &l.said
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Process.Kill(); l.Wait() })
	p.wait(t, "frames", func() bool { return len(p.written) > 10 })
	return l
}

// SEC-05: a revoked key ends its broadcast.
func TestRevoke(t *testing.T) {
	t.Parallel()
	p := open(t)
	start(t, p, "-rtsp_transport", "tcp")
	begun := time.Now()
	p.desk.Revoke(p.key.ID)
	if end := p.waitEnd(t); end.Code != media.KeyRevoked || end.Stopped || time.Since(begun) > 2*time.Second {
		t.Errorf("end %+v after %v", end, time.Since(begun))
	}
}

// SEC-07: a second encoder is told so, unless it says that it takes over.
func TestTakeover(t *testing.T) {
	t.Parallel()
	p := open(t)
	start(t, p, "-rtsp_transport", "tcp")
	source := file(t, "source.mp4", mediatest.Stream{Duration: time.Second}.MP4())
	said, err := try("ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-f", "rtsp", p.url())
	if err == nil || !strings.Contains(said, "Another device is streaming with this key") {
		t.Errorf("the second encoder: %v\n%s", err, said)
	}
	publish(t, p.url()+"?takeover=1", source)
	p.wait(t, "three ends", func() bool { return len(p.ends) == 3 })
	for i, want := range []media.End{{Code: media.SecondEncoder}, {Code: media.SecondEncoder}, {Stopped: true}} {
		if got := p.ends[i]; got.Code != want.Code || got.Stopped != want.Stopped {
			t.Errorf("end %d: %+v, want %+v", i, got, want)
		}
	}
}

// An encoder dies without a word: over UDP, too, the end of its connection is noticed at once.
func TestLostConnection(t *testing.T) {
	for protocol, change := range map[string][]func(*rtsp.Config){"tcp": nil, "udp": {udp(t)}} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			p := open(t, change...)
			l := start(t, p, "-rtsp_transport", protocol)
			begun := time.Now()
			l.Process.Kill()
			if end := p.waitEnd(t); end.Stopped || end.Code != "" || time.Since(begun) > 2*time.Second {
				t.Errorf("end %+v after %v", end, time.Since(begun))
			}
		})
	}
}

func TestWrongKey(t *testing.T) {
	p := open(t)
	source := file(t, "source.mp4", mediatest.Stream{Duration: time.Second}.MP4())
	url := fmt.Sprintf("rtsp://%s/live/%s", p.address, media.NewKey().Text())
	said, err := try("ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-f", "rtsp", url)
	if err == nil || !strings.Contains(said, "The stream key is not valid") {
		t.Errorf("ffmpeg: %v\n%s", err, said)
	}
	if s := p.server.Stats(); s.Refused != 1 || s.Published != 0 {
		t.Errorf("stats %+v", s)
	}
}

// Serve returns when every broadcast has ended.
func TestStop(t *testing.T) {
	t.Parallel()
	p := open(t)
	start(t, p, "-rtsp_transport", "tcp")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p.stop()
	select {
	case <-p.served:
	case <-ctx.Done():
		t.Fatal("Serve does not return")
	}
	if len(p.ends) != 1 || p.ends[0].Stopped {
		t.Errorf("ends %+v", p.ends)
	}
}

func TestUDPAddress(t *testing.T) {
	for _, address := range []string{"8000", ":8001", ":0", ":x", "host:port:8000"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := rtsp.New(rtsp.Config{UDP: address}).Serve(t.Context(), l); err == nil {
			t.Errorf("UDP address %q was taken", address)
		}
	}
}
