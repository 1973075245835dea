//go:build e2e

package e2e_test

import "testing"

// Two of the population: everybody whose number lies in the 24th century is somebody, though nobody created them. docs/personas.md
var (
	bLong  = persona{"038890000001", "Nguyễn Bá Long", "0958277875"}
	phuong = persona{"038990000002", "Phan Minh Phượng", "0955632815"}
)

func TestSomebodyOfThePopulationUsesThePortal(t *testing.T) {
	t.Parallel()
	portalStoryOfThePopulation(t, newWorld(t, withPortal))
}

func portalStoryOfThePopulation(t *testing.T, w *world) {
	t.Helper()
	w.secret("a whole CCCD", bLong.CCCD)
	w.secret("a whole CCCD", phuong.CCCD)
	v := w.visitor(t)
	v.signInAtPortal(bLong)
	v.wantSignedIn(bLong)
	v.Click("Thông tin cá nhân")
	v.wantText("038******001", "13/05/1990")

	other := w.visitor(t)
	other.signInAtPortal(phuong)
	other.wantSignedIn(phuong)
	again := w.visitor(t)
	again.signInAtPortal(bLong)
	again.wantSignedIn(bLong)

	t.Run("CSDL Dân cư knows whose number it is not", func(t *testing.T) {
		v := w.visitor(t)
		v.atPortalLocally("an.nguyen")
		v.Fill("cccd", bLong.CCCD)
		v.Click("Cập nhật")
		v.wantText("Thông tin chưa khớp với CSDL quốc gia về dân cư")
	})
}
