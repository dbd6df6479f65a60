package rtsp

import (
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"

	"chalkcast/ingest"
	"chalkcast/media"
)

// findKey looks for the stream key where people put it: in the path, in the query, as password or as user name.
// credentials tells whether any were sent.
func findKey(path, query string, authorization base.HeaderValue) (a media.Attempt, credentials bool) {
	places := []string{path, query}
	var sent headers.Authorization
	if len(authorization) > 0 {
		credentials = true
		if sent.Unmarshal(authorization) == nil && sent.Method == headers.AuthMethodBasic {
			places = append(places, sent.BasicPass, sent.Username)
		}
	}
	return ingest.FindKey(path, places...), credentials
}
