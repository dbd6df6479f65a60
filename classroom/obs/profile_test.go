package obs_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"chalkcast/classroom/obs"
)

// unpack returns the files of a profile by name.
func unpack(t *testing.T, b []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(body)
	}
	return files
}

func TestProfile(t *testing.T) {
	for key, want := range map[string]string{"": obs.NoKey, "ck_k7qm2xva_abcdefghijklmnopqrstuvwxyz": "ck_k7qm2xva_abcdefghijklmnopqrstuvwxyz"} {
		b, err := obs.Profile(`rtmp://school.example/live"`, key)
		if err != nil {
			t.Fatal(err)
		}
		files := unpack(t, b)
		var service struct {
			Type     string
			Settings struct{ Server, Key string }
		}
		if err := json.Unmarshal([]byte(files["Chalkcast/service.json"]), &service); err != nil {
			t.Fatal(err)
		}
		if service.Type != "rtmp_custom" || service.Settings.Server != `rtmp://school.example/live"` || service.Settings.Key != want {
			t.Errorf("service %+v, want the key %s", service, want)
		}
		var encoder struct {
			Bitrate     int
			Keyint      int    `json:"keyint_sec"`
			RateControl string `json:"rate_control"`
		}
		if err := json.Unmarshal([]byte(files["Chalkcast/streamEncoder.json"]), &encoder); err != nil {
			t.Fatal(err)
		}
		if encoder.Bitrate != 2500 || encoder.Keyint != 2 || encoder.RateControl != "CBR" {
			t.Errorf("encoder %+v", encoder)
		}
		for _, line := range []string{"Name=Chalkcast\n", "Mode=Advanced\n", "Encoder=obs_x264\n", "AudioEncoder=ffmpeg_aac\n", "ChannelSetup=Stereo\n", "OutputCY=720\n"} {
			if !strings.Contains(files["Chalkcast/basic.ini"], line) {
				t.Errorf("basic.ini lacks %q", line)
			}
		}
	}
}

// The names are those that OBS reads; a picture smaller than the one before it, and all with one keyframe interval.
func TestMultitrack(t *testing.T) {
	text, err := obs.Multitrack("rtmps://school.example:1936/live/")
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Meta struct {
			SchemaVersion string  `json:"schema_version"`
			ConfigID      *string `json:"config_id"`
		}
		Endpoints []struct {
			Protocol string
			URL      string `json:"url_template"`
		} `json:"ingest_endpoints"`
		Encoders []struct {
			Type          string
			Width, Height int
			Framerate     struct{ Numerator, Denominator int }
			Settings      struct {
				Bitrate int
				Keyint  int `json:"keyint_sec"`
			}
		} `json:"encoder_configurations"`
		Audio struct {
			Live []struct {
				Codec    string
				Channels int
			}
		} `json:"audio_configurations"`
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	if c.Meta.SchemaVersion == "" || c.Meta.ConfigID == nil || len(c.Endpoints) != 1 || c.Endpoints[0].Protocol != "RTMPS" || c.Endpoints[0].URL != "rtmps://school.example:1936/live/{stream_key}" {
		t.Errorf("%+v %+v", c.Meta, c.Endpoints)
	}
	total := 0
	for i, e := range c.Encoders {
		total += e.Settings.Bitrate
		if e.Type != "obs_x264" || e.Settings.Keyint != 2 || e.Framerate.Numerator != 30 || e.Width%2 != 0 || i > 0 && e.Width >= c.Encoders[i-1].Width {
			t.Errorf("encoder %d: %+v", i, e)
		}
	}
	if len(c.Encoders) != 3 || total > 6000 {
		t.Errorf("%d pictures of %d kbit/s together", len(c.Encoders), total)
	}
	if len(c.Audio.Live) != 1 || c.Audio.Live[0].Codec != "aac" || c.Audio.Live[0].Channels != 2 {
		t.Errorf("sound %+v", c.Audio)
	}
}
