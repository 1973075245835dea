//go:build e2e

package e2e_test

import (
	"strings"
	"testing"
)

// atPortalLocally signs in with an account of the portal's own, by what a citizen reads on the buttons.
func (v *visitor) atPortalLocally(username string) *page {
	v.t.Helper()
	v.Open(v.w.Portal + "/")
	v.Click("Đăng nhập")
	v.Click("Tài khoản được cấp bởi Cổng dịch vụ công")
	v.Fill("username", username)
	v.Fill("password", "Portal@2024")
	return v.Click("Đăng nhập")
}

func (v *visitor) wantText(texts ...string) {
	v.t.Helper()
	for _, s := range texts {
		if !strings.Contains(v.at.Text(), s) {
			v.t.Fatalf("%q is missing on %s", s, v.describe())
		}
	}
}

// Seed 000 over the real programs. Bình's old account declared her number already.
func TestPortalLinksAnOldAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)

	t.Run("a CCCD that is known: straight on, signed in", func(t *testing.T) {
		v := w.visitor(t)
		v.atPortalLocally("binh.le")
		v.wantSignedIn(binh)
	})
	t.Run("no CCCD: the page that asks for it, Bỏ qua, and later Thông tin định danh", func(t *testing.T) {
		v := w.visitor(t)
		v.atPortalLocally("an.nguyen")
		if v.at.ByID("cccd") == nil || v.at.Control("Cập nhật") == nil {
			t.Fatalf("expected the page that asks for the CCCD, got %s", v.describe())
		}
		v.Click("Bỏ qua")
		v.wantSignedIn(an)
		v.Click("Thông tin cá nhân")
		v.Click("Thông tin định danh")
		if v.at.Control("Cập nhật từ CSDL Quốc gia về Dân cư") == nil {
			t.Fatalf("no way to update on %s", v.describe())
		}
	})
	t.Run("VNeID verifies the number, the password proves the account, and the dossiers are there", func(t *testing.T) {
		elsewhere := w.visitor(t)
		elsewhere.atPortalLocally("binh.le")
		v := w.visitor(t)
		v.signInAtPortal(binh)
		v.wantSignedIn(binh)
		v.wantText("binh.le", "038******002")
		v.Fill("password", "not it")
		v.Click("Cập nhật")
		v.wantText("Mật khẩu không đúng")
		v.Fill("password", "Portal@2024")
		v.Click("Cập nhật")
		v.wantSignedIn(binh)
		v.Click("Hồ sơ của tôi")
		v.wantText("Cấp bản sao văn bằng, chứng chỉ từ sổ gốc")
		elsewhere.Open(w.Portal + "/")
		elsewhere.wantSignedOut()
		elsewhere.atPortalLocally("binh.le")
		elsewhere.wantText("đã liên kết với VNeID")
		if elsewhere.at.Control("Đăng xuất") != nil {
			t.Error("the old password still signs in")
		}
		again := w.visitor(t)
		again.signInAtPortal(binh)
		again.wantSignedIn(binh)
		again.Click("Hồ sơ của tôi")
		again.wantText("Cấp bản sao văn bằng, chứng chỉ từ sổ gốc")
	})
	t.Run("an impostor's number gives him nothing, and her no account of his", func(t *testing.T) {

		v := w.visitor(t)
		v.signInAtPortal(linh)
		v.wantText("gia.mao")
		v.Click("Bỏ qua")
		v.wantSignedIn(linh)
		v.Click("Hồ sơ của tôi")
		v.wantText("Bạn chưa có hồ sơ nào")
	})
}

// Seed 000 from the first step to the last, with CSDL Dân cư of the sandbox.
func TestPortalWalksSeed000WithDanCu(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	v := w.visitor(t)
	v.Open(w.Portal + "/procedures/9.000102")
	v.Click("Nộp hồ sơ")
	v.Click("Tài khoản được cấp bởi Cổng dịch vụ công")
	v.Fill("username", "an.nguyen")
	v.Fill("password", "Portal@2024")
	v.Click("Đăng nhập")
	v.Fill("cccd", "038 190 000 002") // Bình's: neither his name nor his date of birth
	v.Click("Cập nhật")
	v.wantText("Thông tin chưa khớp với CSDL quốc gia về dân cư")
	v.Fill("cccd", " 038.090.000.001 ")
	v.Click("Cập nhật")
	v.wantSignedIn(an)
	if v.at.URL.Path != "/procedures/9.000102/apply" {
		t.Errorf("came back to %s", v.at.URL)
	}
	v.wantText("Đã ghi nhận số CCCD")

	brought := w.visitor(t)
	brought.signInAtPortal(an)
	brought.wantText("an.nguyen", "038******001")
	brought.Fill("password", "Portal@2024")
	brought.Click("Cập nhật")
	brought.wantSignedIn(an)
	brought.Click("Hồ sơ của tôi")
	brought.wantText("Đăng ký thành lập hộ kinh doanh", "Cấp giấy phép xây dựng nhà ở riêng lẻ")
	v.Open(w.Portal + "/")
	v.wantSignedOut()
}
