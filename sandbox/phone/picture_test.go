package phone

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const qrText = "HTTP://LOCALHOST:9997/Q/AAAAAAAAAABBBBBBBBBBB"

func drawQR(t testing.TB, side int) image.Image {
	t.Helper()
	matrix, err := qrcode.NewQRCodeWriter().Encode(qrText, gozxing.BarcodeFormat_QR_CODE, side, side, nil)
	if err != nil {
		t.Fatal(err)
	}
	return matrix
}

// photo puts a picture askew onto a desk, with noise.
func photo(of image.Image, width, height int, degrees float64, noise int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	b, seed := of.Bounds(), uint32(1)
	for y := range height {
		for x := range width {
			dx, dy := float64(x-width/2), float64(y-height/2)
			sx, sy := int(cos*dx+sin*dy)+b.Dx()/2, int(-sin*dx+cos*dy)+b.Dy()/2
			v := 150
			if image.Pt(sx, sy).In(b) {
				r, _, _, _ := of.At(sx, sy).RGBA()
				v = 30 + int(r>>8)*200/255
			}
			seed = seed*1664525 + 1013904223
			v += int(seed>>24)*noise/255 - noise/2
			c := uint8(max(0, min(255, v)))
			out.SetRGBA(x, y, color.RGBA{c, c, uint8(max(0, int(c)-10)), 255})
		}
	}
	return out
}

func encode(t testing.TB, img image.Image, asPNG bool) []byte {
	t.Helper()
	var out bytes.Buffer
	var err error
	if asPNG {
		err = png.Encode(&out, img)
	} else {
		err = jpeg.Encode(&out, img, &jpeg.Options{Quality: 60})
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func transparent(t testing.TB) image.Image {
	qr := drawQR(t, 300)
	out := image.NewNRGBA(qr.Bounds()) // black on nothing
	for y := range 300 {
		for x := range 300 {
			if r, _, _, _ := qr.At(x, y).RGBA(); r == 0 {
				out.SetNRGBA(x, y, color.NRGBA{0, 0, 0, 255})
			}
		}
	}
	return out
}

func inverted(t testing.TB) image.Image {
	qr := drawQR(t, 300)
	out := image.NewGray(qr.Bounds())
	draw.Draw(out, out.Bounds(), qr, image.Point{}, draw.Src)
	for i := range out.Pix {
		out.Pix[i] = 255 - out.Pix[i]
	}
	return out
}

func screenshot(t testing.TB) image.Image {
	screen := image.NewRGBA(image.Rect(0, 0, 3840, 2160))
	draw.Draw(screen, screen.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(screen, image.Rect(2400, 300, 2620, 520), drawQR(t, 220), image.Point{}, draw.Src)
	return screen
}

func TestQRCodesAreFoundInWhatPeopleSend(t *testing.T) {
	for name, picture := range map[string][]byte{
		"the code alone":               encode(t, drawQR(t, 256), true),
		"a photo":                      encode(t, photo(drawQR(t, 500), 1280, 960, 0, 40), false),
		"a photo askew":                encode(t, photo(drawQR(t, 500), 1280, 960, 17, 40), false),
		"upside down":                  encode(t, photo(drawQR(t, 400), 900, 900, 180, 20), false),
		"a photo of twelve megapixels": encode(t, photo(drawQR(t, 1600), 4000, 3000, 8, 60), false),
		"a small code on a 4K screen":  encode(t, screenshot(t), true),
		"on nothing":                   encode(t, transparent(t), true),
		"in the dark":                  encode(t, inverted(t), true),
	} {
		if text, err := newReader().read(t.Context(), picture); err != nil || text != qrText {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// hugePNG claims to be of that size and holds nothing.
func hugePNG(w, h uint32) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h)
	head = append(head, 8, 6, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, 13)
	out = append(out, head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

func TestWhatIsNoPictureIsRefusedBeforeItCosts(t *testing.T) {
	broken := encode(t, drawQR(t, 256), true)
	broken = broken[:len(broken)/2]
	for name, c := range map[string]struct {
		picture []byte
		want    string
	}{
		"nothing":        {nil, "picture_missing"},
		"text":           {[]byte("hello"), "picture_unreadable"},
		"a GIF":          {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "picture_unreadable"},
		"half a PNG":     {broken, "picture_unreadable"},
		"a huge claim":   {hugePNG(50_000, 50_000), "picture_too_large"},
		"wide":           {hugePNG(4097, 1), "picture_too_large"},
		"too many bytes": {make([]byte, MaxPicture+1), "picture_too_large"},
		"no code":        {encode(t, photo(image.NewGray(image.Rect(0, 0, 1, 1)), 400, 300, 0, 200), false), "picture_no_qr"},
		"one pixel":      {encode(t, image.NewGray(image.Rect(0, 0, 1, 1)), true), "picture_no_qr"},
	} {
		if text, err := newReader().read(t.Context(), c.picture); text != "" || vneid.MsgKey(err) != c.want {
			t.Errorf("%s: %q, %v; want %s", name, text, err, c.want)
		}
	}
}

func TestOnlySoManyPicturesWait(t *testing.T) {
	q, picture := newReader(), encode(t, drawQR(t, 256), true)
	for range cap(q.slots) {
		q.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	gave := make(chan error, mostWaiting)
	for range mostWaiting {
		go func() {
			_, err := q.read(ctx, picture)
			gave <- err
		}()
	}
	for q.waiting.Load() < mostWaiting {
	}
	if _, err := q.read(t.Context(), picture); vneid.MsgKey(err) != "overloaded" {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	for range mostWaiting {
		if err := <-gave; err != context.Canceled {
			t.Errorf("who left: %v", err)
		}
	}
}
