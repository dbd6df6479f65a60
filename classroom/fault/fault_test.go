package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"chalkcast/classroom/fault"
)

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		err    *fault.Fault
		status int
	}{
		{fault.Invalid("a.b"), 400},
		{fault.Unauthorized("a.b"), 401},
		{fault.Forbidden("a.b"), 403},
		{fault.NotFound("a.b"), 404},
		{fault.Method("a.b"), 405},
		{fault.Conflict("a.b"), 409},
		{fault.TooLarge("a.b"), 413},
		{fault.TooMany("a.b", time.Second), 429},
		{fault.Busy("a.b", time.Second), 503},
		{&fault.Fault{}, 500},
	} {
		if got := c.err.Kind.Status(); got != c.status {
			t.Errorf("kind %d: status %d, want %d", c.err.Kind, got, c.status)
		}
	}
}

func TestFaultSurvivesWrapping(t *testing.T) {
	cause := errors.New("disk on fire")
	base := fault.Conflict("lesson.closed")
	err := fmt.Errorf("end lesson: %w", base.At("state").With("hours", 3).Because(cause))

	f, ok := fault.Of(err)
	if !ok || f.Key != "lesson.closed" || f.Field != "state" || f.Data["hours"] != 3 {
		t.Fatalf("Of(%v) = %+v, %t", err, f, ok)
	}
	if !fault.Is(err, fault.KindConflict) || fault.Is(err, fault.KindInvalid) || fault.Is(cause, fault.KindConflict) {
		t.Errorf("Is does not follow the kind of %v", err)
	}
	if !errors.Is(err, cause) {
		t.Errorf("%v lost its cause", err)
	}
	if got := err.Error(); got != "end lesson: lesson.closed: disk on fire" {
		t.Errorf("Error() = %q", got)
	}
	if base.Field != "" || base.Data != nil || base.Unwrap() != nil {
		t.Errorf("the fault they were made from changed: %+v", base)
	}
}
