package templates_test

import (
	"bytes"
	"testing"

	"chalkcast/templates"
)

func TestX(t *testing.T) {
	s, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []any{templates.SignIn{}, templates.Setup{}, templates.Home{}, templates.Course{}, templates.Class{}, templates.Studio{}, templates.Today{}, templates.Register{}, templates.MyAttendance{}, templates.Settings{}, templates.ErrorPage{}} {
		var b bytes.Buffer
		if err := s.Render(&b, "en", p); err != nil {
			t.Error(err)
		}
	}
}
