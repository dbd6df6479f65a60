package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"chalkcast/media"
)

// startEncoder starts the program of an attempt with the stream of its shape at real time.
func (s *school) startEncoder(a *attempt, key media.Key) *encoder {
	s.t.Helper()
	url := map[string]string{
		"rtmp":  "rtmp://" + s.door("--rtmp"),
		"rtmps": "rtmps://" + s.door("--rtmps"),
		"rtsp":  "rtsp://" + s.door("--rtsp"),
		"udp":   "rtsp://" + s.door("--rtsp"),
		"rtsps": "rtsps://" + s.door("--rtsps"),
	}[a.door] + "/live/" + key.Text()
	sources := a.write(s.t)
	if a.program == "ffmpeg" {
		return launch(s.t, "ffmpeg", a.ffmpegArgs(sources, url))
	}
	return launch(s.t, "gst-launch-1.0", a.gstreamerArgs(sources, url))
}

// write makes the files that the encoder reads, with exact times.
func (a *attempt) write(t *testing.T) (names []string) {
	t.Helper()
	dir := t.TempDir()
	list := ""
	for i, part := range a.parts {
		name := filepath.Join(dir, fmt.Sprintf("part%d.mp4", i))
		if err := os.WriteFile(name, part.MP4(), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
		list += fmt.Sprintf("file '%s'\nduration %.3f\n", name, part.Duration.Seconds())
	}
	if len(a.parts) > 1 && a.program == "ffmpeg" {
		names = []string{filepath.Join(dir, "list")}
		if err := os.WriteFile(names[0], []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func (a *attempt) ffmpegArgs(sources []string, url string) []string {
	args := []string{"-nostdin", "-hide_banner", "-loglevel", "warning", "-re"}
	if len(a.parts) > 1 {
		args = append(args, "-f", "concat", "-safe", "0")
	}
	args = append(args, "-i", sources[0], "-c", "copy")
	if a.offset > 0 {
		args = append(args, "-output_ts_offset", fmt.Sprintf("%.3f", a.offset.Seconds()))
	}
	switch a.door {
	case "rtmp", "rtmps":
		return append(args, "-f", "flv", url)
	case "udp":
		return append(args, "-f", "rtsp", "-rtsp_transport", "udp", "-max_delay", "0", url)
	}
	return append(args, "-f", "rtsp", "-rtsp_transport", "tcp", "-max_delay", "0", url)
}

// gstreamerArgs is a pipeline: file, demuxer, for each track a parser, and either a muxer with its sink or a sink that
// takes the tracks as they are.
func (a *attempt) gstreamerArgs(sources []string, url string) []string {
	rtmp := strings.HasPrefix(a.door, "rtmp")
	pipeline := []string{"-q", "-e"}
	video, audio := "s.", "s."
	switch {
	case rtmp:
		video, audio = "m.video", "m.audio"
		pipeline = append(pipeline, "flvmux", "name=m", "streamable=true", "!", "rtmp2sink", "sync=true", "tls-validation-flags=0", "location="+url)
	default:
		transport := map[string]string{"udp": "udp"}[a.door]
		if transport == "" {
			transport = "tcp"
		}
		pipeline = append(pipeline, "rtspclientsink", "name=s", "protocols="+transport, "tls-validation-flags=0", "location="+url)
	}
	paced := []string{"!"}
	if !rtmp {
		paced = []string{"!", "identity", "sync=true", "!"}
	}
	track := func(from []string, parser, to string) {
		pipeline = append(append(append(append(pipeline, from...), "!", "queue", "!", parser), paced...), to)
	}
	if len(a.parts) > 1 {
		for i, source := range sources {
			d := fmt.Sprintf("d%d", i)
			pipeline = append(pipeline, "filesrc", "location="+source, "!", "qtdemux", "name="+d, d+".video_0", "!", "queue", "!", "c.")
		}
		parser := []string{"concat", "name=c", "!", "h264parse", "config-interval=-1"} // or the payloader keeps the change to itself
		track(parser, "identity", video)
		return pipeline
	}
	pipeline = append(pipeline, "filesrc", "location="+sources[0], "!", "qtdemux", "name=d")
	if !a.parts[0].NoVideo {
		track([]string{"d.video_0"}, "h264parse", video)
	}
	if !a.parts[0].NoAudio {
		track([]string{"d.audio_0"}, "aacparse", audio)
	}
	return pipeline
}

// launch starts an encoder that is killed when the test ends.
func launch(t *testing.T, program string, args []string) *encoder {
	t.Helper()
	e := &encoder{t: t, said: &bytes.Buffer{}, ended: make(chan struct{})}
	e.cmd = exec.Command(program, args...)
	e.cmd.Stdout, e.cmd.Stderr = e.said, e.said
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := e.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	go func() { // ends with the process
		_ = e.cmd.Wait()
		close(e.ended)
	}()
	t.Cleanup(e.kill)
	return e
}

// pictureOnly drops parameter sets and delimiters from length-prefixed H.264 NAL units (ITU-T H.264 table 7-1).
func pictureOnly(sample []byte) (out []byte) {
	for rest := sample; len(rest) >= 4; {
		n := 4 + int(binary.BigEndian.Uint32(rest))
		if n > len(rest) || n == 4 {
			return sample
		}
		if kind := rest[4] & 0x1f; kind < 7 || kind > 9 {
			out = append(out, rest[:n]...)
		}
		rest = rest[n:]
	}
	return out
}

// certificate is one that signed itself.
type certificate struct{ cert, key []byte }

// authority is what schools with TLS show to this process, which trusts it from its first request on.
var authority = newAuthority()

func newAuthority() certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	c := certificate{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.cert)
	http.DefaultTransport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return c
}

// files writes the certificate where a server can read it.
func (c certificate) files(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, content := range map[string][]byte{cert: c.cert, key: c.key} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// freeUDP returns an even UDP port that is free, as is the next one.
func freeUDP(t *testing.T) string {
	t.Helper()
	for range 200 {
		port := freePort(t)
		var n int
		if _, err := fmt.Sscan(port, &n); err != nil || n%2 != 0 {
			continue
		}
		free := true
		for _, p := range []int{n, n + 1} {
			l, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", p))
			if err != nil {
				free = false
				break
			}
			l.Close()
		}
		if free {
			return port
		}
	}
	t.Fatal("found no free pair of UDP ports")
	return ""
}
