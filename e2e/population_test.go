//go:build e2e

package e2e_test

import (
	"net/http"
	"testing"
)

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
	t.Run("an old account is linked to somebody of the population", func(t *testing.T) {
		// A number of the population is given to the person whose old account this is.
		w.api(t, http.StatusOK, "POST", "/personas/import", map[string]string{"format": "csv",
			"content": "cccd,name,birthdate,gender,phone\n038890000003," + an.Name + ",1990-03-15,male,0951112223\n"}, nil)
		former := persona{"038890000003", an.Name, "0951112223"}
		v := w.visitor(t)
		v.atPortalLocally("an.nguyen")
		v.Fill("cccd", w.secret("a whole CCCD", former.CCCD))
		v.Click("Cập nhật")
		v.wantSignedIn(an)
		v.wantText("Đã ghi nhận số CCCD")
		brought := w.visitor(t)
		brought.signInAtPortal(former)
		brought.wantText("an.nguyen", "038******003")
		brought.Fill("password", "Portal@2024")
		brought.Click("Cập nhật")
		brought.wantSignedIn(former)
		brought.Click("Hồ sơ của tôi")
		brought.wantText("Đăng ký thành lập hộ kinh doanh")
	})
}
