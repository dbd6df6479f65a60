package lessons

import (
	"fmt"
	"strings"

	"chalkcast/media"
)

// words says what an encoder sends, for people: "1280×720, H.264 High" and "AAC stereo". Several pictures or
// sounds are listed.
func words(tracks []media.Track) (video, audio string) {
	var pictures, sounds []string
	for _, t := range tracks {
		p := t.Params
		switch {
		case p == nil:
		case t.Kind == media.Video:
			pictures = append(pictures, fmt.Sprintf("%d×%d, %s", p.Width, p.Height, p.Words))
		default:
			sounds = append(sounds, p.Words)
		}
	}
	return strings.Join(pictures, "; "), strings.Join(sounds, "; ")
}
