package templates

import (
	"fmt"
	"strings"

	"github.com/skip2/go-qrcode"
)

// qrPicture is a QR code as one SVG path over a square of Size modules, its quiet zone included.
type qrPicture struct {
	Size int
	Path string
}

// qr draws text. Text that does not fit, of more than 1,000 bytes or so, is an error.
func qr(text string) (qrPicture, error) {
	if text == "" {
		return qrPicture{}, nil
	}
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return qrPicture{}, fmt.Errorf("draw QR code: %w", err)
	}
	rows := code.Bitmap()
	var path strings.Builder
	for y, row := range rows {
		for x := 0; x < len(row); {
			run := x
			for run < len(row) && row[run] {
				run++
			}
			if run > x {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x, y, run-x, run-x)
			}
			x = run + 1
		}
	}
	return qrPicture{Size: len(rows), Path: path.String()}, nil
}
