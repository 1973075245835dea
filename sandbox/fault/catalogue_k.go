package fault

import (
	"net/http"
	"strings"
)

func init() { parts = append(parts, sectionK) }

// sectionK: what can go wrong between QR code, phone and browser. The portal
// only ever sees that nobody came back, or that somebody refused; what the
// citizen sees is here to be looked at.
var sectionK = []Fault{
	{
		ID: "K01", Name: "qr-expired", Grade: Must, Seam: SeamWorld, Signals: []Signal{NoSession},
		Title: Text{"Mã QR hết hạn", "The QR code has expired"},
		What:  Text{"Điện thoại xác nhận sau khi mã đã hết hạn.", "The phone confirms after the code has expired."},
		Right: Text{"Không có phiên nào; trang đăng nhập mời tạo mã mới.", "No session comes of it; the sign-in page offers a new code."},
		Spec:  []string{"draft-ietf-oauth-cross-device-security §6"},
		hooks: hooks{on: []Kind{Phone}, request: func(x *Exchange) {
			x.onPhone("confirm", func() { x.refuseCall(http.StatusGone, "qr_expired", "the QR code was valid until a moment ago") })
		}},
	},
	{
		ID: "K02", Name: "qr-replayed", Grade: Must, Seam: SeamChoreography, Signals: []Signal{NoSession},
		Title: Text{"Mã QR dùng lại", "The QR code is used again"},
		What:  Text{"Sau một lần đăng nhập, cùng mã đó được xác nhận lần nữa cho trình duyệt khác.", "After a sign-in the same code is confirmed again, for another browser."},
		Right: Text{"Chỉ một phiên, ở trình duyệt đầu tiên.", "One session, in the first browser."},
		Spec:  []string{"draft-ietf-oauth-cross-device-security §6"},
	},
	{
		ID: "K03", Name: "qr-relayed", Grade: Either, Seam: SeamWorld, Signals: []Signal{Human},
		Title: Text{"Mã QR của kẻ lừa đảo", "The QR code of a swindler"},
		What:  Text{"Ứng dụng cho thấy nơi đăng nhập là một trình duyệt lạ ở địa chỉ lạ, như khi ai đó gửi mã của họ cho bạn.", "The app shows a foreign browser at a foreign address, as when somebody sends you their code."},
		Right: Text{"Người dân đọc nơi đăng nhập và bấm Từ chối; cổng bật đối chiếu số (number_matching) khó bị lừa bằng mã gửi đi hơn.", "The citizen reads where the sign-in happens and refuses; number_matching makes a mailed code harder to use."},
		Spec:  []string{"draft-ietf-oauth-cross-device-security §4", "draft-ietf-oauth-cross-device-security §6"},
		hooks: hooks{on: []Kind{Phone}, response: func(x *Exchange) {
			x.onPhone("scan", func() {
				x.alterScan(func(o *Object) {
					o.Set("browser", "Chrome 131, Windows 11")
					o.Set("ip", "203.0.113.7")
				})
			})
		}},
	},
	{
		ID: "K04", Name: "qr-other-browser", Grade: Must, Seam: SeamWorld, Signals: []Signal{NoSession},
		Title: Text{"Xác nhận ở trình duyệt khác", "Confirmed for another browser"},
		What:  Text{"Điện thoại đã xác nhận, nhưng trình duyệt quay về không phải trình duyệt đã bắt đầu.", "The phone confirmed, but the browser that comes back is not the one that began."},
		Right: Text{"Nhà cung cấp từ chối vì thiếu cookie ràng buộc; cổng không có phiên.", "The provider refuses, since the binding cookie is missing; the portal has no session."},
		Spec:  []string{"draft-ietf-oauth-cross-device-security §6", "RFC 9700 §4.7"},
		hooks: hooks{on: []Kind{Page}, request: func(x *Exchange) {
			l := x.Login
			back := strings.HasSuffix(x.Request.URL.Path, "/return") || l != nil && l.QR.CCCD != "" && l.CCCD != "" && x.Request.Method == http.MethodGet
			if !back {
				x.Untouched()
				return
			}
			again := x.Request.Clone(x.Ctx())
			again.Header.Del("Cookie")
			x.Request = again
		}},
	},
	{
		ID: "K05", Name: "qr-web-permission-off", Grade: Either, Seam: SeamWorld, Signals: []Signal{Human},
		Title: Text{"Chưa cho phép đăng nhập trên website", "Signing in on websites is not allowed"},
		What:  Text{"Ứng dụng nói rằng “Đăng nhập trên website” đang tắt.", "The app says that signing in on websites is switched off."},
		Right: Text{"Người dân bật trong ứng dụng rồi tiếp tục; cổng vẫn chờ.", "The citizen switches it on in the app and goes on; the portal still waits."},
		Spec:  []string{"seed 001"},
		hooks: hooks{on: []Kind{Phone}, response: func(x *Exchange) {
			x.onPhone("scan", func() {
				x.alterScan(func(o *Object) {
					o.Set("allowed", false)
					o.Set("message", "web_login_off")
				})
			})
		}},
	},
	{
		ID: "K06", Name: "qr-level-1-account", Grade: Must, Seam: SeamWorld, Signals: []Signal{NoSession},
		Title: Text{"Tài khoản mức 1 quét mã QR", "A level 1 account scans"},
		What:  Text{"Ứng dụng từ chối: cần tài khoản định danh mức 2.", "The app refuses: an account of level 2 is needed."},
		Right: Text{"Không có phiên nào; cổng có lối đăng nhập khác hoặc hướng dẫn nâng mức.", "No session comes of it; the portal has another way, or says how to get level 2."},
		Spec:  []string{"seed 001"},
		hooks: hooks{on: []Kind{Phone}, response: func(x *Exchange) {
			x.onPhone("scan", func() {
				if x.alterScan(func(*Object) {}); x.silent {
					return
				}
				x.refuseCall(http.StatusForbidden, "qr_level", "the account has level 1; signing in by QR needs level 2")
			})
		}},
	},
	{
		ID: "K07", Name: "qr-denied", Grade: Must, Seam: SeamChoreography, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"Người dân bấm Từ chối", "The citizen refuses"},
		What:  Text{"Điện thoại từ chối; trình duyệt quay về cổng với access_denied.", "The phone refuses; the browser comes back with access_denied."},
		Right: Text{"Trang thân thiện, không lặp, không có phiên.", "A friendly page, no loop, no session."},
		Spec:  []string{"RFC 6749 §4.1.2.1"},
	},
	{
		ID: "K10", Name: "qr-two-scans", Grade: Must, Seam: SeamChoreography, Signals: []Signal{NoSession},
		Title: Text{"Hai điện thoại quét một mã", "Two phones scan one code"},
		What:  Text{"Hai người quét cùng một mã; người thứ hai xác nhận.", "Two people scan the same code; the second one confirms."},
		Right: Text{"Chỉ người quét đầu tiên có thể xác nhận; phiên không bao giờ là của người thứ hai.", "Only the first to scan may confirm; the session is never the second one's."},
		Spec:  []string{"draft-ietf-oauth-cross-device-security §6"},
	},
}

// onPhone does it when the call of the phone app is that one.
func (x *Exchange) onPhone(call string, do func()) {
	if !strings.HasSuffix(x.Request.URL.Path, "/"+call) {
		x.Untouched()
		return
	}
	do()
}

// refuseCall answers a phone as op/phoneapi refuses, RFC 9457.
func (x *Exchange) refuseCall(status int, code, detail string) {
	x.Reply(status, "application/problem+json", string(encode(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail, "code": code})))
}

// alterScan changes what the phone is told about the sign-in it scanned, when
// that is one of the client for which the fault is armed.
func (x *Exchange) alterScan(change func(*Object)) {
	o, err := ParseObject(x.Answer.Body)
	if err != nil || x.Answer.Status != http.StatusOK || x.Armed.ClientID != "" && o.String("client_id") != x.Armed.ClientID {
		x.Untouched()
		return
	}
	change(o)
	x.Answer.Body = o.Bytes()
}
