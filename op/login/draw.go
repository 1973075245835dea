package login

import (
	"fmt"
	"strconv"

	"github.com/skip2/go-qrcode"
)

// longestQR bounds what a code may say: an address of ours and a secret. It
// keeps the modules large enough for a screenshot.
const longestQR = 300 // bytes

// drawQR is the code as an SVG, as small as it gets: a screen is not torn or
// dirty, so the lowest level of correction does, and larger modules are worth
// more to a camera. It is one path over a white ground, black on white
// whatever the page's colours are, with the quiet zone of four modules that
// ISO/IEC 18004 wants.
func drawQR(text string) ([]byte, error) {
	if len(text) > longestQR {
		return nil, fmt.Errorf("draw the QR code: %d bytes, at most %d", len(text), longestQR)
	}
	code, err := qrcode.New(text, qrcode.Low)
	if err != nil {
		return nil, fmt.Errorf("draw the QR code: %w", err)
	}
	bitmap := code.Bitmap() // its border is the quiet zone
	size := strconv.Itoa(len(bitmap))
	b := make([]byte, 0, 16<<10)
	b = append(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 `+size+` `+size+`" width="`+size+`" height="`+size+
		`" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h`+size+`v`+size+`H0z"/><path fill="#000" d="`...)
	for y, row := range bitmap {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			from := x
			for x < len(row) && row[x] {
				x++
			}
			b = append(b, 'M')
			b = strconv.AppendInt(b, int64(from), 10)
			b = append(b, ' ')
			b = strconv.AppendInt(b, int64(y), 10)
			b = append(b, 'h')
			b = strconv.AppendInt(b, int64(x-from), 10)
			b = append(b, "v1H"...)
			b = strconv.AppendInt(b, int64(from), 10)
			b = append(b, 'z')
		}
	}
	return append(b, `"/></svg>`...), nil
}
