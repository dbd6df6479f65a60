package fault

import (
	"errors"
	"net/http"
	"time"
)

// Kind is what went wrong in the most general words.
type Kind uint8

const (
	KindInvalid      Kind = iota + 1 // 400: what was sent cannot be used
	KindUnauthorized                 // 401: sign in first
	KindForbidden                    // 403: the reader may know it exists, but not do this
	KindNotFound                     // 404: not there, or not for this reader to know
	KindMethod                       // 405: the address is right, the method is not
	KindConflict                     // 409: the state does not allow it now
	KindTooLarge                     // 413: a body beyond its limit
	KindTooMany                      // 429: this reader tried too often
	KindBusy                         // 503: the server is at its limit; trying again helps
)

// Status returns the HTTP status of k; 500 when k is none of ours.
func (k Kind) Status() int {
	switch k {
	case KindInvalid:
		return http.StatusBadRequest
	case KindUnauthorized:
		return http.StatusUnauthorized
	case KindForbidden:
		return http.StatusForbidden
	case KindNotFound:
		return http.StatusNotFound
	case KindMethod:
		return http.StatusMethodNotAllowed
	case KindConflict:
		return http.StatusConflict
	case KindTooLarge:
		return http.StatusRequestEntityTooLarge
	case KindTooMany:
		return http.StatusTooManyRequests
	case KindBusy:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// String names k in one or two words; problem+json uses it as code where there is no key.
func (k Kind) String() string {
	switch k {
	case KindInvalid:
		return "invalid"
	case KindUnauthorized:
		return "unauthorized"
	case KindForbidden:
		return "forbidden"
	case KindNotFound:
		return "not_found"
	case KindMethod:
		return "method"
	case KindConflict:
		return "conflict"
	case KindTooLarge:
		return "too_large"
	case KindTooMany:
		return "too_many"
	case KindBusy:
		return "busy"
	}
	return "internal"
}

// Fault is an error for people.
type Fault struct {
	Kind  Kind
	Key   string         // catalogue key of the sentence; empty: what the status itself says
	Data  map[string]any // for the sentence's placeholders
	Field string         // the form field or JSON member that is meant, empty for the whole
	After time.Duration  // when trying again makes sense, 0 when it does not
	cause error
}

func Invalid(key string) *Fault      { return &Fault{Kind: KindInvalid, Key: key} }
func Unauthorized(key string) *Fault { return &Fault{Kind: KindUnauthorized, Key: key} }
func Forbidden(key string) *Fault    { return &Fault{Kind: KindForbidden, Key: key} }
func NotFound(key string) *Fault     { return &Fault{Kind: KindNotFound, Key: key} }
func Method(key string) *Fault       { return &Fault{Kind: KindMethod, Key: key} }
func Conflict(key string) *Fault     { return &Fault{Kind: KindConflict, Key: key} }
func TooLarge(key string) *Fault     { return &Fault{Kind: KindTooLarge, Key: key} }

// TooMany and Busy say when trying again makes sense.
func TooMany(key string, after time.Duration) *Fault {
	return &Fault{Kind: KindTooMany, Key: key, After: after}
}

func Busy(key string, after time.Duration) *Fault {
	return &Fault{Kind: KindBusy, Key: key, After: after}
}

// At returns f about one field.
func (f *Fault) At(field string) *Fault {
	g := *f
	g.Field = field
	return &g
}

// With returns f with one more placeholder filled. Values are plain: string, int.
func (f *Fault) With(name string, value any) *Fault {
	g := *f
	g.Data = make(map[string]any, len(f.Data)+1)
	for k, v := range f.Data {
		g.Data[k] = v
	}
	g.Data[name] = value
	return &g
}

// Because returns f with its cause, which is logged and never shown.
func (f *Fault) Because(cause error) *Fault {
	g := *f
	g.cause = cause
	return &g
}

func (f *Fault) Error() string {
	what := f.Key
	if what == "" {
		what = f.Kind.String()
	}
	if f.cause != nil {
		return what + ": " + f.cause.Error()
	}
	return what
}

func (f *Fault) Unwrap() error { return f.cause }

// Of returns the outermost fault in the chain of err.
func Of(err error) (*Fault, bool) { return errors.AsType[*Fault](err) }

// Is reports whether err is a fault of kind k.
func Is(err error, k Kind) bool {
	f, ok := Of(err)
	return ok && f.Kind == k
}
