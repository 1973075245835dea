package phone

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // cameras
	_ "image/png"  // screenshots
	"runtime"
	"sync/atomic"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Bounds of a picture. They hold before anything is decoded: a PNG of a few
// kilobytes may claim to be a gigabyte of pixels.
const (
	MaxPicture = 5 << 20 // bytes
	maxSide    = 4096    // pixels
)

// reader finds QR codes in pictures. A picture takes memory and a core, so
// only so many are read at a time; a large one (a photo of a modern phone) is
// alone, since a progressive JPEG of it takes 200 MB while it is decoded.
type reader struct {
	slots   chan struct{}
	large   chan struct{}
	waiting atomic.Int32
}

const (
	mostWaiting = 16
	largeFrom   = 2048 * 2048 // pixels
)

func newReader() *reader {
	return &reader{slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0))), large: make(chan struct{}, 1)}
}

// read is the text of the QR code in a picture. Its errors are for people.
func (q *reader) read(ctx context.Context, picture []byte) (string, error) {
	if len(picture) == 0 {
		return "", vneid.Errorf(vneid.CodeInvalid, "picture_missing", "no picture was given")
	}
	if len(picture) > MaxPicture {
		return "", vneid.Errorf(vneid.CodeInvalid, "picture_too_large", "more than %d bytes", MaxPicture)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return "", vneid.Errorf(vneid.CodeInvalid, "picture_unreadable", "neither a JPEG nor a PNG: %v", err)
	}
	if config.Width > maxSide || config.Height > maxSide || config.Width < 1 || config.Height < 1 {
		return "", vneid.Errorf(vneid.CodeInvalid, "picture_too_large", "%d × %d pixels; at most %d × %d", config.Width, config.Height, maxSide, maxSide)
	}
	if q.waiting.Add(1) > mostWaiting {
		q.waiting.Add(-1)
		return "", vneid.Errorf(vneid.CodeUnavailable, "overloaded", "%d pictures wait to be read", mostWaiting)
	}
	defer q.waiting.Add(-1)
	if config.Width*config.Height > largeFrom {
		if err := enter(ctx, q.large); err != nil {
			return "", err
		}
		defer func() { <-q.large }()
	}
	if err := enter(ctx, q.slots); err != nil {
		return "", err
	}
	defer func() { <-q.slots }()
	return readPicture(picture, format)
}

func enter(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readPicture decodes a picture within bounds. The QR decoder is other
// people's code over other people's input: what it panics on is no QR code.
func readPicture(picture []byte, format string) (text string, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			text, err = "", vneid.Errorf(vneid.CodeInvalid, "picture_no_qr", "the decoder gave up: %v", broken)
		}
	}()
	img, _, err := image.Decode(bytes.NewReader(picture))
	if err != nil {
		return "", vneid.Errorf(vneid.CodeInvalid, "picture_unreadable", "broken %s: %v", format, err)
	}
	// Cameras give more pixels than a code needs, and their noise; a code that
	// fills little of a picture needs all of them. Light on dark comes last.
	for _, try := range []struct {
		side     int
		inverted bool
	}{{800, false}, {1600, false}, {3200, false}, {1000, true}} {
		if b := img.Bounds(); try.side > 800 && !try.inverted && max(b.Dx(), b.Dy()) <= try.side/2 {
			continue // the same pixels as before
		}
		if text, err := findQR(gray(img, try.side, try.inverted)); err == nil {
			return text, nil
		}
	}
	return "", vneid.Errorf(vneid.CodeInvalid, "picture_no_qr", "no QR code was found in a %s of %s", format, img.Bounds().Size())
}

func findQR(img *image.Gray) (string, error) {
	source := gozxing.NewLuminanceSourceFromImage(img)
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	for _, binarizer := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
		bitmap, err := gozxing.NewBinaryBitmap(binarizer)
		if err != nil {
			return "", err
		}
		if result, err := qrcode.NewQRCodeReader().Decode(bitmap, hints); err == nil {
			return result.GetText(), nil
		}
	}
	return "", fmt.Errorf("no QR code")
}

// gray is the picture on white paper, its longer side at most so many pixels.
// Each pixel is the mean of those it stands for.
func gray(img image.Image, longest int, inverted bool) *image.Gray {
	b := img.Bounds()
	step := 1
	for max(b.Dx(), b.Dy())/step > longest {
		step++
	}
	w, h := max(1, b.Dx()/step), max(1, b.Dy()/step)
	out := image.NewGray(image.Rect(0, 0, w, h))
	at := luminance(img)
	for y := range h {
		for x := range w {
			sum, n := 0, 0
			for dy := 0; dy < step && y*step+dy < b.Dy(); dy++ {
				for dx := 0; dx < step && x*step+dx < b.Dx(); dx++ {
					sum += at(b.Min.X+x*step+dx, b.Min.Y+y*step+dy)
					n++
				}
			}
			v := uint8(sum / n)
			if inverted {
				v = 255 - v
			}
			out.Pix[y*out.Stride+x] = v
		}
	}
	return out
}

// luminance reads a pixel, by the shortest way that its kind of picture has.
func luminance(img image.Image) func(x, y int) int {
	switch img := img.(type) {
	case *image.YCbCr:
		return func(x, y int) int { return int(img.Y[img.YOffset(x, y)]) }
	case *image.Gray:
		return func(x, y int) int { return int(img.Pix[img.PixOffset(x, y)]) }
	case *image.NRGBA:
		return func(x, y int) int {
			p := img.Pix[img.PixOffset(x, y):]
			return onWhite((int(p[0])+2*int(p[1])+int(p[2]))/4, int(p[3]))
		}
	}
	return func(x, y int) int {
		c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
		return onWhite((int(c.R)+2*int(c.G)+int(c.B))/4, int(c.A))
	}
}

func onWhite(v, alpha int) int { return (v*alpha + 255*(255-alpha)) / 255 }
