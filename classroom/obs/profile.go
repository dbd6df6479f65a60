package obs

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// What a lesson is streamed with. OBS's own default for keyframes would be up to 250 frames, over 8 s.
const (
	keyframeSeconds = 2
	videoKbps       = 2500
	audioKbps       = 160
)

// NoKey stands in a profile that was made without a key.
const NoKey = "PASTE-YOUR-STREAM-KEY-HERE"

// folder is what Profile → Import takes: a folder named as the profile.
const folder = "Chalkcast"

type service struct {
	Type     string          `json:"type"`
	Settings serviceSettings `json:"settings"`
}

type serviceSettings struct {
	Server  string `json:"server"`
	Key     string `json:"key"`
	UseAuth bool   `json:"use_auth"`
	BWTest  bool   `json:"bwtest"`
}

// encoder is x264's settings, which every OBS has.
type encoder struct {
	Bitrate     int    `json:"bitrate"`
	KeyintSec   int    `json:"keyint_sec"`
	Preset      string `json:"preset"`
	Profile     string `json:"profile"`
	RateControl string `json:"rate_control"`
}

func x264(kbps int) encoder {
	return encoder{Bitrate: kbps, KeyintSec: keyframeSeconds, Preset: "veryfast", Profile: "high", RateControl: "CBR"}
}

// Profile returns a zip with the folder of an OBS profile: unpack it, then Profile → Import. key is a stream key, or
// empty for one to be pasted.
func Profile(server, key string) ([]byte, error) {
	if key == "" {
		key = NoKey
	}
	files := []struct {
		name string
		body any
	}{
		{"service.json", service{"rtmp_custom", serviceSettings{Server: server, Key: key}}},
		{"streamEncoder.json", x264(videoKbps)},
	}
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	if err := add(z, "basic.ini", []byte(basic())); err != nil {
		return nil, err
	}
	for _, f := range files {
		body, err := json.MarshalIndent(f.body, "", "    ")
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", f.name, err)
		}
		if err := add(z, f.name, body); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("write profile: %w", err)
	}
	return buf.Bytes(), nil
}

func add(z *zip.Writer, name string, body []byte) error {
	w, err := z.Create(folder + "/" + name)
	if err == nil {
		_, err = w.Write(body)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func basic() string {
	return fmt.Sprintf(`[General]
Name=%s

[Output]
Mode=Advanced

[AdvOut]
Encoder=obs_x264
AudioEncoder=ffmpeg_aac
ApplyServiceSettings=true
Rescale=false
TrackIndex=1
Track1Bitrate=%d

[SimpleOutput]
StreamEncoder=x264
StreamAudioEncoder=aac
VBitrate=%d
ABitrate=%d

[Video]
BaseCX=1920
BaseCY=1080
OutputCX=1280
OutputCY=720
FPSType=0
FPSCommon=30

[Audio]
SampleRate=48000
ChannelSetup=Stereo
`, folder, audioKbps, videoKbps, audioKbps)
}

// MultitrackOption is what OBS has to be started with before it shows Config Override for a server of one's own.
const MultitrackOption = "--enable-multitrack-video-dev"

type config struct {
	Meta      meta             `json:"meta"`
	Endpoints []endpoint       `json:"ingest_endpoints"`
	Encoders  []rendition      `json:"encoder_configurations"`
	Audio     map[string][]any `json:"audio_configurations"`
}

type meta struct {
	Service       string `json:"service"`
	SchemaVersion string `json:"schema_version"`
	ConfigID      string `json:"config_id"` // a text here would be added to the key
}

type endpoint struct {
	Protocol       string `json:"protocol"`
	URLTemplate    string `json:"url_template"`
	Authentication string `json:"authentication"` // empty: the key of the settings
}

type rendition struct {
	Type      string  `json:"type"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	Framerate rate    `json:"framerate"`
	Settings  encoder `json:"settings"`
}

type rate struct {
	Numerator   int `json:"numerator"`
	Denominator int `json:"denominator"`
}

// renditions are three sizes of one picture: together 4.1 Mbit/s, what a school's line carries.
var renditions = []struct{ width, height, kbps int }{{1280, 720, videoKbps}, {854, 480, 1000}, {640, 360, 600}}

// Multitrack returns what is pasted as Config Override: several sizes of the picture with key frames that line up.
func Multitrack(server string) (string, error) {
	protocol, _, _ := strings.Cut(server, ":")
	c := config{
		Meta:      meta{Service: folder, SchemaVersion: "2024-06-04"},
		Endpoints: []endpoint{{Protocol: strings.ToUpper(protocol), URLTemplate: strings.TrimSuffix(server, "/") + "/{stream_key}"}},
		Audio: map[string][]any{"live": {map[string]any{
			"codec": "aac", "track_id": 1, "channels": 2, "settings": map[string]int{"bitrate": audioKbps},
		}}},
	}
	for _, r := range renditions {
		c.Encoders = append(c.Encoders, rendition{"obs_x264", r.width, r.height, rate{30, 1}, x264(r.kbps)})
	}
	b, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write multitrack settings: %w", err)
	}
	return string(b), nil
}
