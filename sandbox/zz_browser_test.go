package sandbox_test

import (
	"bytes"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestZZ(t *testing.T) {
	r, store := withPhones(t, nil)
	a, b, c := loginPage(t, r, store), loginPage(t, r, store), loginPage(t, r, store)
	pic := qrPicture(t, a.link())
	img, _ := png.Decode(bytes.NewReader(pic))
	vga := image.NewRGBA(image.Rect(0, 0, 640, 480))
	draw.Draw(vga, vga.Bounds(), img, image.Pt(300, 60), draw.Src)
	var frame, film bytes.Buffer
	jpeg.Encode(&frame, vga, nil)
	for range 30 {
		film.Write(frame.Bytes())
	}
	os.WriteFile("/tmp/shots/qr.mjpeg", film.Bytes(), 0o644)
	os.WriteFile("/tmp/shots/qr.png", qrPicture(t, b.link()), 0o644)
	cmd := exec.Command("node", "zz_live.mjs", r.SandboxURL, c.short())
	cmd.Dir = "../e2e/browser"
	out, err := cmd.CombinedOutput()
	t.Logf("%s %v", out, err)
	a.is(vneid.StateSecondFactorOK)
	b.is(vneid.StateSecondFactorOK)
	c.is(vneid.StateRefused)
}
