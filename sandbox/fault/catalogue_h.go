package fault

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

func init() { parts = append(parts, sectionH) }

// Messages of relying parties, and those of browsers too.
var (
	ofRelyingParties = []Kind{Token, Userinfo, JWKS, Discovery, Introspect, Revoke}
	ofEverybody      = append(slices.Clone(ofRelyingParties), Authorize, Page, EndSession)
)

// sectionH: availability and transport.
var sectionH = []Fault{
	{
		ID: "H01", Name: "slow", Grade: Should, Seam: SeamTransport, Signals: []Signal{NoRetry},
		Title: Text{"Trả lời chậm", "Slow answers"},
		What:  Text{"Nhà cung cấp trả lời đúng nhưng rất muộn.", "The provider's answers are right, and late."},
		Right: Text{"Thời hạn chờ không quá 10 giây, rồi một trang thân thiện.", "A time limit of at most 10 seconds, then a friendly page."},
		Spec:  []string{"RFC 9110 §9.2.2", "CWE-400"},
		Variants: []Variant{
			{"token-12s", Text{"token sau 12 giây", "the token response after 12 s"}},
			{"userinfo-12s", Text{"UserInfo sau 12 giây", "UserInfo after 12 s"}},
			{"keys-12s", Text{"JWKS sau 12 giây", "the JWKS after 12 s"}},
			{"discovery-12s", Text{"siêu dữ liệu sau 12 giây", "the metadata after 12 s"}},
			{"pages-5s", Text{"mỗi trang sau 5 giây", "each page after 5 s"}},
			{"everything-30s", Text{"mọi thứ sau 30 giây", "everything after 30 s"}},
		},
		hooks: hooks{on: ofEverybody, response: func(x *Exchange) {
			of := map[string][]Kind{"token-12s": {Token}, "userinfo-12s": {Userinfo}, "keys-12s": {JWKS}, "discovery-12s": {Discovery},
				"pages-5s": {Authorize, Page}, "everything-30s": ofEverybody}[x.Variant]
			if !slices.Contains(of, x.Kind) {
				x.Untouched()
				return
			}
			_, wait, _ := strings.Cut(x.Variant, "-")
			x.Answer.Delay, _ = time.ParseDuration(wait) // of the list above
		}},
	},
	{
		ID: "H02", Name: "hang", Grade: Must, Seam: SeamTransport, Signals: []Signal{NoRetry},
		Title: Text{"Treo hoặc nhỏ giọt", "Hangs, or drips"},
		What:  Text{"Điểm cuối token không bao giờ trả lời xong, hoặc mỗi giây một byte.", "The token endpoint never finishes, or sends a byte a second."},
		Right: Text{"Thời hạn cho toàn bộ câu trả lời, không chỉ cho kết nối.", "A time limit for the whole answer, not for the connection alone."},
		Spec:  []string{"CWE-400", "RFC 9110 §9.2.2"},
		Variants: []Variant{
			{"drip", Text{"mỗi giây một byte", "a byte a second"}}, {"hang", Text{"im lặng", "silence"}},
		},
		hooks: hooks{on: []Kind{Token}, response: func(x *Exchange) {
			if x.Variant == "hang" {
				x.Answer.Delay, x.Answer.Cut = time.Minute, -1
				return
			}
			x.Answer.Drip = time.Second
		}},
	},
	{
		ID: "H03", Name: "broken-connection", Grade: Must, Seam: SeamTransport, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"Kết nối bị cắt", "The connection breaks"},
		What:  Text{"Kết nối tới điểm cuối token đóng giữa chừng: trước câu trả lời, hoặc sau nửa thân.", "The connection to the token endpoint closes in between: before the answer, or after half of its body."},
		Right: Text{"Trang lỗi rõ ràng; không gửi lại mã (mã chỉ dùng một lần).", "A clear page; the code is not sent again, since it works once."},
		Spec:  []string{"RFC 6749 §4.1.2", "RFC 9110 §9.2.2"},
		Variants: []Variant{
			{"truncated", Text{"sau nửa thân", "after half of the body"}}, {"reset", Text{"trước câu trả lời", "before the answer"}},
		},
		hooks: hooks{on: []Kind{Token}, response: func(x *Exchange) {
			x.Answer.Cut = -1
			if x.Variant != "reset" {
				x.Answer.Cut = max(1, len(x.Answer.Body)/2)
			}
		}},
	},
	{
		ID: "H04", Name: "too-many-requests", Grade: Should, Seam: SeamTransport, Signals: []Signal{NoRetry},
		Title: Text{"429 kèm Retry-After", "429 with Retry-After"},
		What:  Text{"Nhà cung cấp từ chối vì quá nhiều yêu cầu, hẹn 30 giây.", "The provider refuses because of too many requests, and says 30 seconds."},
		Right: Text{"Chờ như được bảo; người dùng thấy trang giải thích, không có bão thử lại.", "Wait as told; a page for the person, no storm of retries."},
		Spec:  []string{"RFC 6585 §4"},
		Variants: []Variant{
			{"token", Text{"ở điểm cuối token", "at the token endpoint"}}, {"userinfo", Text{"ở UserInfo", "at UserInfo"}},
		},
		hooks: hooks{on: []Kind{Token, Userinfo}, request: func(x *Exchange) {
			if string(x.Kind) != x.Variant {
				x.Untouched()
				return
			}
			x.Reply(http.StatusTooManyRequests, "application/json", `{"error":"temporarily_unavailable","error_description":"too many requests; wait 30 seconds"}`)
			x.Answer.Header.Set("Retry-After", "30")
		}},
	},
	{
		ID: "H05", Name: "maintenance", Grade: Must, Seam: SeamTransport, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"Hệ thống đang bảo trì", "Down for maintenance"},
		What:  Text{"Mọi địa chỉ trả một trang HTML “Hệ thống đang bảo trì”.", "Every address answers with an HTML page that says maintenance."},
		Right: Text{"Nhận ra, báo cho người dùng, và phần còn lại của cổng vẫn dùng được.", "Notice it, tell people, and keep the rest of the portal usable."},
		Spec:  []string{"RFC 9110 §15.6.4", "RFC 6749 §5.2"},
		Variants: []Variant{
			{"back-channel-503", Text{"503 cho các máy chủ, trang đăng nhập vẫn chạy", "503 for servers, the sign-in pages work"}},
			{"back-channel-200", Text{"200 cho các máy chủ", "200 for servers"}},
			{"everything-503", Text{"503 ở mọi nơi", "503 everywhere"}},
			{"everything-200", Text{"200 ở mọi nơi", "200 everywhere"}},
		},
		hooks: hooks{on: ofEverybody, request: func(x *Exchange) {
			where, status, _ := strings.Cut(strings.Replace(x.Variant, "back-channel", "back", 1), "-")
			if where == "back" && !slices.Contains(ofRelyingParties, x.Kind) {
				x.Untouched()
				return
			}
			x.Reply(map[string]int{"503": 503, "200": 200}[status], htmlType, maintenancePage)
		}},
	},
	{
		ID: "H06", Name: "flaky", Grade: Should, Seam: SeamTransport, Signals: []Signal{NoRetry},
		Title: Text{"Lúc được lúc không", "Flaky"},
		What:  Text{"Một phần yêu cầu thất bại ngẫu nhiên (lặp lại được theo seed), hoặc token được cấp mà câu trả lời bị mất.", "Part of the requests fail, at random by the seed; or the tokens are given out and the answer gets lost."},
		Right: Text{"Chỉ thử lại yêu cầu không đổi trạng thái (JWKS, siêu dữ liệu); không gửi lại mã.", "Retry only what changes nothing (JWKS, metadata); never send the code again."},
		Spec:  []string{"RFC 6749 §4.1.2", "RFC 9110 §9.2.2"},
		Variants: []Variant{
			{"lost-answer", Text{"câu trả lời của token bị mất", "the token response gets lost"}},
			{"half", Text{"một nửa thất bại", "half of them fail"}}, {"tenth", Text{"một phần mười thất bại", "a tenth fails"}},
		},
		hooks: hooks{on: ofRelyingParties, response: func(x *Exchange) {
			part := map[string]float64{"half": 0.5, "tenth": 0.1}[x.Variant]
			if x.Variant == "lost-answer" && x.Kind == Token || part > 0 && x.Chance(part) {
				x.Reply(http.StatusBadGateway, htmlType, brokenPage)
				return
			}
			x.Untouched()
		}},
	},
	{
		ID: "H07", Name: "tls-certificate", Grade: Must, Seam: SeamTransport, Signals: []Signal{NoTokenCall, NoSession}, Asks: []string{"https"},
		Title: Text{"Chứng thư TLS sai", "Wrong TLS certificate"},
		What:  Text{"Chứng thư hết hạn, của máy khác, hoặc do một CA lạ ký (cần --tls auto, ở thế giới mặc định; chỉ các kết nối mới gặp).", "The certificate has expired, is for another host, or is signed by an unknown authority (needs --tls auto, in the default world; only new connections meet it)."},
		Right: Text{"Luôn kiểm tra chứng thư; sai thì không gửi gì, báo lỗi.", "Always verify certificates; send nothing when they are wrong, and say so."},
		Spec:  []string{"RFC 9700 §2.6", "RFC 9110 §4.3.4"},
		Variants: []Variant{
			{"expired", Text{"hết hạn", "expired"}}, {"wrong-host", Text{"của máy khác", "for another host"}}, {"unknown-ca", Text{"CA lạ", "an unknown authority"}},
		},
		hooks: hooks{certificate: true},
	},
	{
		ID: "H08", Name: "http-downgrade", Grade: Must, Seam: SeamTransport, Signals: unnoticed, Asks: []string{"https"},
		Title: Text{"Hạ từ https xuống http", "Down from https to http"},
		What:  Text{"Điểm cuối token chuyển hướng (307) tới chính nó qua http, và http có người trả lời (cần --tls).", "The token endpoint redirects (307) to itself by http, and http is answered (needs --tls)."},
		Right: Text{"Không đi theo chuyển hướng của điểm cuối token; không bao giờ gửi mã và client_secret qua http.", "Follow no redirect of the token endpoint; never send code and client_secret over http."},
		Spec:  []string{"RFC 6749 §3.2", "RFC 9700 §2.6"},
		hooks: hooks{plain: true, on: []Kind{Token}, request: func(x *Exchange) {
			if x.Request.TLS == nil {
				x.Untouched() // it came by http
				return
			}
			x.Reply(http.StatusTemporaryRedirect, htmlType, brokenPage)
			x.Answer.Header.Set("Location", "http"+strings.TrimPrefix(x.World().Issuer, "https")+"/oauth/token")
		}},
	},
	{
		ID: "H09", Name: "redirect-loop", Grade: Should, Seam: SeamAuthorization, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"Vòng lặp chuyển hướng", "Redirect loop"},
		What:  Text{"Mỗi yêu cầu đăng nhập bị trả về ngay với temporarily_unavailable.", "Each sign-in is sent back at once with temporarily_unavailable."},
		Right: Text{"Hiện trang lỗi; không tự bắt đầu đăng nhập lại.", "Show a page; do not begin again by itself."},
		Spec:  []string{"RFC 6749 §4.1.2.1"},
		hooks: hooks{on: []Kind{Authorize}, response: func(x *Exchange) {
			// Only once the provider took the request: then the address is a
			// registered one.
			if a := authorizationIn(x); a != nil && a.Get("code") != "" { // it knew the person
				a.Delete("code")
				a.Set("error", "temporarily_unavailable")
				a.write(x.Answer)
				return
			}
			if x.Answer.Status != http.StatusSeeOther || !strings.Contains(x.Answer.Header.Get("Location"), "/login/") {
				x.Untouched()
				return
			}
			back := url.Values{"error": {"temporarily_unavailable"}, "iss": {x.World().Issuer}}
			if state := x.Form.Get("state"); state != "" {
				back.Set("state", state)
			}
			separator := "?"
			if strings.Contains(x.RedirectURI, "?") {
				separator = "&"
			}
			x.Answer.Header.Set("Location", x.RedirectURI+separator+back.Encode())
			x.Answer.Body = nil
		}},
	},
	{
		ID: "H11", Name: "odd-encoding", Grade: Either, Seam: SeamTransport, Signals: []Signal{Human},
		Title: Text{"Mã hóa truyền lạ", "Odd transfer encoding"},
		What:  Text{"Nén gzip dù không ai hỏi, hoặc tiêu đề HTTP rất lớn.", "gzip though nobody asked for it, or a very large HTTP header."},
		Right: Text{"Chấp nhận hoặc báo lỗi rõ ràng.", "Take it, or say clearly that it failed."},
		Spec:  []string{"RFC 9110 §8.4"},
		Variants: []Variant{
			{"gzip", Text{"gzip không được hỏi", "gzip that nobody asked for"}}, {"large-header", Text{"tiêu đề 48 KB", "a header of 48 KB"}},
		},
		hooks: hooks{on: ofRelyingParties, response: func(x *Exchange) {
			if x.Variant == "large-header" {
				x.Answer.Header.Set("X-Padding", strings.Repeat("x", 48<<10))
				return
			}
			x.Answer.zip(0)
		}},
	},
	{
		ID: "H12", Name: "clock-jump", Grade: Either, Seam: SeamWorld, Signals: []Signal{Human},
		Title: Text{"Đồng hồ nhảy một giờ", "The clock jumps an hour"},
		What:  Text{"Mọi mốc thời gian của ID token lệch một giờ.", "Every time in the ID token is an hour off."},
		Right: Text{"Từ chối bằng thông báo nói rõ là đồng hồ lệch.", "Refuse, and say that the clocks differ."},
		Spec:  []string{"RFC 7519 §4.1.4", "RFC 7519 §4.1.6"},
		Variants: []Variant{
			{"behind", Text{"chậm một giờ", "an hour behind"}}, {"ahead", Text{"nhanh một giờ", "an hour ahead"}},
		},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			by := int64(-3600)
			if x.Variant == "ahead" {
				by = 3600
			}
			for _, name := range []string{"iat", "exp", "auth_time"} {
				if t.Claims.Has(name) {
					t.Claims.Set(name, t.Claims.Number(name)+by)
				}
			}
		}},
	},
	{
		ID: "H13", Name: "otp-late", Grade: Should, Seam: SeamWorld, Signals: []Signal{Human},
		Title: Text{"OTP đến muộn hoặc không đến", "The OTP comes late, or never"},
		What:  Text{"Tin nhắn OTP đến sau 90 giây, hoặc không bao giờ.", "The message with the one-time password comes after 90 seconds, or never."},
		Right: Text{"Phiên ở cổng vẫn còn khi người dân quay lại muộn.", "The portal's own session survives until the person comes back late."},
		Spec:  []string{"OIDC Core §3.1.2.7"},
		Variants: []Variant{
			{"late", Text{"sau 90 giây", "after 90 s"}}, {"never", Text{"không bao giờ", "never"}},
		},
		hooks: hooks{message: func(x *Exchange) (late time.Duration, lost bool) { return 90 * time.Second, x.Variant == "never" }},
	},
}

// zip compresses the body, with so many spaces before it.
func (a *Answer) zip(padding int64) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.CopyN(z, spaces{}, padding) // into memory
	_, _ = z.Write(a.Body)
	z.Close()
	a.Body = b.Bytes()
	a.Header.Set("Content-Encoding", "gzip")
}

const maintenancePage = `<!doctype html><html lang="vi"><title>Bảo trì / Maintenance</title><body><p>MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT</p><h1>Hệ thống đang bảo trì</h1><p>Vui lòng quay lại sau. / Down for maintenance, please come back later.</p></body></html>`

func init() { parts = append(parts, register) }

// register: the population database misbehaves. Its callers are consumers with a
// key, no clients: a fault here strikes whoever asks in the world.
var register = []Fault{
	{
		ID: "J26", Name: "register-mismatch", Grade: Must, Seam: SeamWorld, Signals: []Signal{NoRetry},
		Title: Text{"CSDL dân cư trả lời khác", "The population database disagrees"},
		What:  Text{"Không tìm thấy, nhiều người, đã mất, hoặc không trả lời kịp.", "Not found, several people, deceased, or no answer in time."},
		Right: Text{"Giải thích và cho làm lại sau; không mất dữ liệu đã nhập, không liên kết khi chưa có câu trả lời.", "Explain, let people try again later, lose nothing they entered; link nothing without an answer."},
		Spec:  []string{"NIST SP 800-63A §5.2.2"},
		Variants: []Variant{
			{"not-found", Text{"không tìm thấy", "not found"}}, {"several", Text{"nhiều người", "several people"}},
			{"deceased", Text{"đã mất", "deceased"}}, {"down", Text{"trả 503", "answers 503"}}, {"slow", Text{"sau 20 giây", "after 20 s"}},
		},
		hooks: hooks{on: []Kind{Register}, response: func(x *Exchange) {
			reason := map[string]string{"not-found": "not_found", "several": "ambiguous", "deceased": "deceased"}[x.Variant]
			switch {
			case x.Variant == "slow":
				x.Answer.Delay = 20 * time.Second
			case x.Variant == "down":
				x.Reply(http.StatusServiceUnavailable, "application/problem+json", `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"the register cannot be reached"}`)
				x.Answer.Header.Set("Retry-After", "30")
			case x.Answer.Status == http.StatusOK:
				x.Answer.Body, _ = json.Marshal(map[string]any{"match": false, "reason": reason}) // strings always encode
			default:
				x.Untouched()
			}
		}},
	},
}
