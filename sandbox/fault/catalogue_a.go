package fault

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
)

func init() { parts = append(parts, sectionA, sectionAErrors) }

// A relying party that does not notice a wrong response redeems the code.
var redeemed = []Signal{NoTokenCall, NoSession}

// sectionA: the authorization response, in whatever response mode.
var sectionA = []Fault{
	{
		ID: "A01", Name: "state-missing", Grade: Must, Seam: SeamAuthorization, Signals: redeemed, Asks: []string{"state"},
		Title: Text{"Không có state", "No state"},
		What:  Text{"Trình duyệt quay về với code mà không có state.", "The browser comes back with a code and without state."},
		Right: Text{"Từ chối, không gọi điểm cuối token.", "Refuse, without a call to the token endpoint."},
		Spec:  []string{"RFC 6749 §10.12", "RFC 9700 §4.7"},
		hooks: withState(func(_ *Exchange, a *Authorization) { a.Delete("state") }),
	},
	{
		ID: "A02", Name: "state-wrong", Grade: Must, Seam: SeamAuthorization, Signals: redeemed, Asks: []string{"state"},
		Title: Text{"state sai", "Wrong state"},
		What:  Text{"state là một giá trị ngẫu nhiên khác.", "state is another random value."},
		Right: Text{"So với state của phiên trình duyệt này; từ chối.", "Compare with the state of this browser's session; refuse."},
		Spec:  []string{"RFC 6749 §10.12"},
		hooks: withState(func(_ *Exchange, a *Authorization) { a.Set("state", "c3RhdGUtb2Ytbm9ib2R5LWF0LWFsbA") }),
	},
	{
		ID: "A03", Name: "state-other-session", Grade: Must, Seam: SeamChoreography, Signals: redeemed, Asks: []string{"state"},
		Title: Text{"state của trình duyệt khác", "The state of another browser"},
		What:  Text{"Phản hồi của kẻ tấn công, đầy đủ và hợp lệ, được mở trong trình duyệt của nạn nhân.", "The attacker's response, complete and valid, is opened in the victim's browser."},
		Right: Text{"state gắn với phiên của trình duyệt; từ chối.", "state is bound to the browser's session; refuse."},
		Spec:  []string{"RFC 9700 §4.7.1"},
	},
	{
		ID: "A04", Name: "state-replayed", Grade: Should, Seam: SeamChoreography, Signals: []Signal{NoTokenCall, NoRetry}, Asks: []string{"state"},
		Title: Text{"Phản hồi đến hai lần", "The response comes twice"},
		What:  Text{"Cùng một địa chỉ quay về được mở lần nữa.", "The same address is opened again."},
		Right: Text{"state dùng một lần; lần hai không đổi mã.", "A state works once; the second time no code is redeemed."},
		Spec:  []string{"RFC 6749 §10.12"},
	},
	{
		ID: "A05", Name: "state-altered-url", Grade: Must, Seam: SeamAuthorization, Signals: []Signal{NoTokenCall, NoSession}, Asks: []string{"state", "an address within state"},
		Title: Text{"Địa chỉ trong state bị đổi", "The address within state is altered"},
		What:  Text{"Cổng để địa chỉ quay về trong state (thường là base64); tên máy trong đó bị đổi thành rp-canary.test.", "The portal keeps its return address in state (often base64); the host in it becomes rp-canary.test."},
		Right: Text{"state là một giá trị ngẫu nhiên; không bao giờ chuyển hướng theo nó.", "state is a random value; never redirect by it."},
		Spec:  []string{"RFC 9700 §4.11", "RFC 9700 §4.7"},
		hooks: withState(func(x *Exchange, a *Authorization) {
			altered, ok := alterURLIn(a.Get("state"), 2)
			if !ok {
				x.Untouched()
				return
			}
			a.Set("state", altered)
		}),
	},
	{
		ID: "A06", Name: "state-damaged", Grade: Must, Seam: SeamAuthorization, Signals: redeemed, Asks: []string{"state"},
		Title:    Text{"state bị hỏng trên đường", "state is damaged on its way"},
		What:     Text{"state bị cắt, hoặc dấu + thành dấu cách.", "state is cut, or + became a space."},
		Right:    Text{"So chính xác; trang lỗi rõ ràng.", "Compare exactly; a clear page."},
		Spec:     []string{"RFC 6749 Appendix B"},
		Variants: []Variant{{"truncated", Text{"bị cắt", "cut"}}, {"plus-to-space", Text{"+ thành dấu cách", "+ became a space"}}, {"case", Text{"đổi hoa thường", "in another case"}}},
		hooks: withState(func(x *Exchange, a *Authorization) {
			state := a.Get("state")
			damaged := state[:len(state)/2]
			switch x.Variant {
			case "plus-to-space":
				damaged = strings.ReplaceAll(state, "+", " ")
			case "case":
				damaged = swapCase(state)
			}
			if damaged == state {
				x.Untouched()
				return
			}
			a.Set("state", damaged)
		}),
	},
	{
		ID: "A07", Name: "iss-param-wrong", Grade: Must, Seam: SeamAuthorization, Signals: redeemed,
		Title: Text{"Tham số iss sai", "Wrong iss parameter"},
		What:  Text{"Phản hồi nói đến từ một nhà cung cấp khác.", "The response says that it comes from another provider."},
		Right: Text{"So iss với issuer đã gửi người dùng đi; từ chối.", "Compare iss with the issuer the person was sent to; refuse."},
		Spec:  []string{"RFC 9207 §2.4", "RFC 9700 §4.4"},
		hooks: withCode(func(_ *Exchange, a *Authorization) { a.Set("iss", "https://other-issuer.test") }),
	},
	{
		ID: "A08", Name: "iss-param-missing", Grade: Must, Seam: SeamAuthorization, Signals: redeemed,
		Title:     Text{"Không có tham số iss", "No iss parameter"},
		What:      Text{"Siêu dữ liệu hứa có iss, phản hồi không có.", "The metadata promises iss, the response has none."},
		Right:     Text{"Từ chối: siêu dữ liệu đã hứa.", "Refuse: the metadata promised it."},
		Spec:      []string{"RFC 9207 §2.4"},
		Skippable: &Text{"Cổng chỉ dùng một nhà cung cấp không gặp tấn công trộn lẫn (RFC 9207 §1).", "A portal with a single provider meets no mix-up (RFC 9207 §1)."},
		hooks:     withCode(func(_ *Exchange, a *Authorization) { a.Delete("iss") }),
	},
	{
		ID: "A09", Name: "iss-param-unadvertised", Grade: Accept, Seam: SeamDiscovery, Signals: mustBeTaken,
		Title: Text{"iss đúng dù không hứa", "A right iss that was not promised"},
		What:  Text{"Siêu dữ liệu không nói về iss, phản hồi có iss đúng.", "The metadata does not speak of iss; the response has the right one."},
		Right: Text{"Chấp nhận.", "Accept it."},
		Spec:  []string{"RFC 9207 §2.4"},
		hooks: hooks{discovery: func(_ *Exchange, o *Object) { o.Delete("authorization_response_iss_parameter_supported") }},
	},
	{
		ID: "A16", Name: "duplicate-parameters", Grade: Should, Seam: SeamAuthorization, Signals: withAPage,
		Title: Text{"Tham số lặp lại", "A parameter comes twice"},
		What:  Text{"code có hai lần: giá trị đúng, rồi một giá trị lạ.", "There are two codes: the right one, then a foreign one."},
		Right: Text{"Từ chối, hoặc luôn chọn như nhau; không nối lại.", "Refuse, or always choose the same way; never join them."},
		Spec:  []string{"RFC 6749 §3.1"},
		hooks: withCode(func(_ *Exchange, a *Authorization) { a.Add("code", "a-code-that-nobody-gave-out") }),
	},
	{
		ID: "A17", Name: "response-in-fragment", Grade: Must, Seam: SeamAuthorization, Signals: redeemed,
		Title: Text{"Phản hồi nằm sau dấu #", "The response comes in the fragment"},
		What:  Text{"Tham số đứng sau # dù cổng hỏi query.", "The parameters stand behind #, though the portal asked for query."},
		Right: Text{"Không đăng nhập; máy chủ không thấy gì.", "No sign-in: the server sees nothing."},
		Spec:  []string{"OAuth 2.0 Multiple Response Types §2.1"},
		hooks: withCode(func(x *Exchange, a *Authorization) { otherMode(x, a, "fragment") }),
	},
	{
		ID: "A18", Name: "form-post-instead", Grade: Either, Seam: SeamAuthorization, Signals: forPeople,
		Title: Text{"form_post dù không hỏi", "form_post though nobody asked"},
		What:  Text{"Phản hồi là một biểu mẫu POST.", "The response is a form to be posted."},
		Right: Text{"405 hoặc trang lỗi rõ ràng.", "405, or a clear page."},
		Spec:  []string{"OAuth 2.0 Form Post Response Mode §2"},
		hooks: withCode(func(x *Exchange, a *Authorization) { otherMode(x, a, "form_post") }),
	},
	{
		ID: "A19", Name: "unexpected-extra-params", Grade: Accept, Seam: SeamAuthorization, Signals: mustBeTaken,
		Title: Text{"Tham số thừa", "Further parameters"},
		What:  Text{"session_state và tham số lạ đi cùng.", "session_state and unknown parameters come with it."},
		Right: Text{"Bỏ qua tham số không biết.", "Ignore parameters that are unknown."},
		Spec:  []string{"RFC 6749 §4.1.2"},
		hooks: withCode(func(_ *Exchange, a *Authorization) {
			a.Add("session_state", "5d4c8f2e.salt")
			a.Add("encrypt_key", "")
			a.Add("vneid_ext", "á é í")
		}),
	},
	{
		ID: "A20", Name: "code-odd-characters", Grade: Accept, Seam: SeamAuthorization, Signals: mustBeTaken,
		Title: Text{"code có ký tự lạ", "A code of odd characters"},
		What:  Text{"code dài 1500 ký tự, có + / = . ~ %.", "The code has 1,500 characters, among them + / = . ~ %."},
		Right: Text{"Giải mã và mã hóa lại đúng khi gọi điểm cuối token.", "Decode it, and encode it again for the token endpoint."},
		Spec:  []string{"RFC 6749 Appendix A.11", "RFC 6749 Appendix B"},
		hooks: withCode(func(x *Exchange, a *Authorization) { a.Set("code", x.engine.disguise(x.World().ID, a.Get("code"))) }),
	},
	{
		ID: "A21", Name: "redirect-307", Grade: Either, Seam: SeamRedirect, Signals: forPeople,
		Title: Text{"Chuyển hướng 307", "Redirect by 307"},
		What:  Text{"Nhà cung cấp trả 307 sau biểu mẫu đăng nhập: trình duyệt gửi tiếp biểu mẫu đó cho cổng.", "The provider answers a sign-in form with 307: the browser posts that form to the portal."},
		Right: Text{"Không nhận, không ghi lại dữ liệu đăng nhập được POST tới.", "Neither take nor log credentials that are posted to it."},
		Spec:  []string{"RFC 9700 §4.12"},
		hooks: hooks{authorization: func(x *Exchange, a *Authorization) {
			if a.Mode == "form_post" || x.Request.Method != http.MethodPost {
				x.Untouched()
				return
			}
			a.Status = http.StatusTemporaryRedirect
		}},
	},
	{
		ID: "A22", Name: "late-callback", Grade: Must, Seam: SeamChoreography, Signals: withAPage,
		Title: Text{"Quay về muộn", "A late callback"},
		What:  Text{"Người dân quay về sau khi phiên đăng nhập ở cổng đã hết.", "The person comes back after the portal's own sign-in has expired."},
		Right: Text{"Mời đăng nhập lại, lịch sự.", "Politely begin again."},
		Spec:  []string{"OIDC Core §3.1.2.7"},
	},
	{
		ID: "A23", Name: "two-tabs", Grade: Must, Seam: SeamChoreography, Signals: withAPage,
		Title: Text{"Hai thẻ trình duyệt", "Two tabs"},
		What:  Text{"Hai lần đăng nhập mở cùng lúc, xong theo thứ tự ngược.", "Two sign-ins are open, and end in reverse order."},
		Right: Text{"Cả hai thành công, hoặc báo rõ; không lẫn người.", "Both succeed, or say clearly why not; never mix people up."},
		Spec:  []string{"RFC 9700 §4.7"},
	},
	{
		ID: "A24", Name: "unsolicited-callback", Grade: Must, Seam: SeamChoreography, Signals: redeemed,
		Title: Text{"Phản hồi không ai hỏi", "A response that nobody asked for"},
		What:  Text{"Trình duyệt chưa từng bắt đầu mở địa chỉ quay về với một code thật.", "A browser that began nothing opens the callback with a real code."},
		Right: Text{"Từ chối.", "Refuse."},
		Spec:  []string{"RFC 9700 §4.5", "RFC 9700 §4.7"},
	},
}

// sectionAErrors: error responses.
var sectionAErrors = []Fault{
	{
		ID: "A10", Name: "code-and-error", Grade: Must, Seam: SeamAuthorization, Signals: redeemed,
		Title: Text{"Vừa code vừa error", "Both code and error"},
		What:  Text{"Phản hồi có code và error=access_denied.", "The response has a code and error=access_denied."},
		Right: Text{"Coi là lỗi; không đổi code.", "Treat it as an error; redeem nothing."},
		Spec:  []string{"RFC 6749 §4.1.2.1"},
		hooks: withCode(func(_ *Exchange, a *Authorization) { a.Add("error", "access_denied") }),
	},
	{
		ID: "A11", Name: "error-access-denied", Grade: Must, Seam: SeamAuthorization, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"Người dân bấm Hủy", "The person cancels"},
		What:  Text{"error=access_denied thay cho code.", "error=access_denied instead of a code."},
		Right: Text{"Trang thân thiện, không lặp, không có phiên.", "A friendly page, no loop, no session."},
		Spec:  []string{"RFC 6749 §4.1.2.1"},
		hooks: instead("access_denied", "the person refused"),
	},
	{
		ID: "A12", Name: "error-each", Grade: Must, Seam: SeamAuthorization, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"Mỗi mã lỗi của chuẩn", "Each error of the standard"},
		What:  Text{"Một mã lỗi của chuẩn thay cho code.", "An error of the standard instead of a code."},
		Right: Text{"Trang lỗi; không tự chuyển hướng lại.", "A page; no redirect by itself."},
		Spec:  []string{"OIDC Core §3.1.2.6", "RFC 6749 §4.1.2.1"},
		Variants: []Variant{
			{"login-required", Text{"cần đăng nhập", "login_required"}}, {"interaction-required", Text{"cần thao tác", "interaction_required"}},
			{"consent-required", Text{"cần đồng ý", "consent_required"}}, {"account-selection-required", Text{"cần chọn tài khoản", "account_selection_required"}},
			{"invalid-request", Text{"yêu cầu sai", "invalid_request"}}, {"invalid-scope", Text{"scope sai", "invalid_scope"}},
			{"unauthorized-client", Text{"ứng dụng không được phép", "unauthorized_client"}}, {"server-error", Text{"lỗi máy chủ", "server_error"}},
			{"temporarily-unavailable", Text{"tạm ngừng", "temporarily_unavailable"}}, {"unmet-authentication-requirements", Text{"không đủ mức xác thực", "unmet_authentication_requirements"}},
		},
		hooks: withCode(func(x *Exchange, a *Authorization) {
			a.Delete("code")
			a.Set("error", strings.ReplaceAll(x.Variant, "-", "_"))
		}),
	},
	{
		ID: "A13", Name: "error-unknown-code", Grade: Must, Seam: SeamAuthorization, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"Mã lỗi lạ", "An unknown error"},
		What:  Text{"error=vneid_9001, không có trong chuẩn nào.", "error=vneid_9001, which is in no standard."},
		Right: Text{"Xử lý chung như mọi lỗi.", "Handle it like any error."},
		Spec:  []string{"RFC 6749 §8.5"},
		hooks: instead("vneid_9001", "E9001"),
	},
	{
		ID: "A14", Name: "error-description-markup", Grade: Must, Seam: SeamAuthorization, Signals: []Signal{NoSession, Encoded},
		Title: Text{"HTML trong mô tả lỗi", "Markup in the error description"},
		What:  Text{"error_description có mã HTML.", "error_description has markup in it."},
		Right: Text{"Mã hóa khi hiển thị, hoặc không hiển thị.", "Encode it on output, or do not show it."},
		Spec:  []string{"RFC 6749 §4.1.2.1", "CWE-79"},
		hooks: instead("access_denied", `<b id="canary">vneid-canary</b><img src=x onerror=1>`),
	},
	{
		ID: "A15", Name: "error-without-state", Grade: Should, Seam: SeamAuthorization, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"Lỗi không có state", "An error without state"},
		What:  Text{"error=access_denied mà không có state.", "error=access_denied, and no state."},
		Right: Text{"Không hỏng, không làm gì theo nó.", "Do not crash, do nothing by it."},
		Spec:  []string{"RFC 6749 §4.1.2.1"},
		hooks: withCode(func(_ *Exchange, a *Authorization) {
			a.Delete("code")
			a.Delete("state")
			a.Set("error", "access_denied")
		}),
	},
}

// withCode is for responses that bring a code.
func withCode(change func(*Exchange, *Authorization)) hooks {
	return hooks{authorization: func(x *Exchange, a *Authorization) {
		if a.Get("code") == "" {
			x.Untouched()
			return
		}
		change(x, a)
	}}
}

// withState is for those that bring a code and a state.
func withState(change func(*Exchange, *Authorization)) hooks {
	return withCode(func(x *Exchange, a *Authorization) {
		if a.Get("state") == "" {
			x.Untouched()
			return
		}
		change(x, a)
	})
}

// instead answers with an error where there was a code.
func instead(code, description string) hooks {
	return withCode(func(_ *Exchange, a *Authorization) {
		a.Delete("code")
		a.Set("error", code)
		a.Set("error_description", description)
	})
}

func otherMode(x *Exchange, a *Authorization, mode string) {
	if a.Mode == mode {
		x.Untouched()
		return
	}
	a.Mode = mode
}

var hostOfURL = regexp.MustCompile(`(https?://)[^/?#"'\s@,;]+`)

// alterURLIn changes the host of an address within a state, encoded as portals
// encode it; deep bounds how often base64 is opened.
func alterURLIn(state string, deep int) (string, bool) {
	if hostOfURL.MatchString(state) {
		return hostOfURL.ReplaceAllString(state, "${1}rp-canary.test"), true
	}
	if deep == 0 {
		return "", false
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding, base64.URLEncoding, base64.RawStdEncoding} {
		if plain, err := e.DecodeString(state); err == nil {
			if altered, ok := alterURLIn(string(plain), deep-1); ok {
				return e.EncodeToString([]byte(altered)), true
			}
		}
	}
	return "", false
}
