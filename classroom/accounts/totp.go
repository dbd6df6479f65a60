package accounts

import (
	"crypto/hmac"
	"crypto/sha1" // what RFC 6238 and every authenticator app use; HMAC does not need collision resistance
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	stepLength = 30 * time.Second // RFC 6238 section 4.1
	codeDigits = 6
)

// stepAt is the number of the time step that t lies in.
func stepAt(t time.Time) int64 { return t.Unix() / int64(stepLength/time.Second) }

// hotp is the code of one step (RFC 4226 section 5.3).
func hotp(secret []byte, step int64, digits int) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & 0x7fffffff
	mod := uint32(1)
	for range digits {
		mod *= 10
	}
	return fmt.Sprintf("%0*d", digits, n%mod)
}

// matchStep returns which step a code is of: the present one, or one of its neighbors, since telephones and people
// are slow (RFC 6238 section 5.2).
func matchStep(secret []byte, code string, now time.Time) (int64, bool) {
	found, right := int64(0), 0
	for step := stepAt(now) - 1; step <= stepAt(now)+1; step++ {
		if subtle.ConstantTimeCompare([]byte(hotp(secret, step, codeDigits)), []byte(code)) == 1 {
			found, right = step, 1
		}
	}
	return found, right == 1
}

// secretText is a secret as people type it into an app.
func secretText(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// secretURL is a secret as apps read it from a picture.
func secretURL(school, account string, secret []byte) string {
	if school == "" {
		school = "Chalkcast"
	}
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + school + ":" + account}
	// Apps want %20 for a space, which url.Values would write as a plus.
	u.RawQuery = "secret=" + secretText(secret) + "&issuer=" + strings.ReplaceAll(url.QueryEscape(school), "+", "%20")
	return u.String()
}
