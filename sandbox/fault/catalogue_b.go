package fault

import (
	"net/http"
	"strconv"

	"github.com/go-jose/go-jose/v4"
)

func init() { parts = append(parts, sectionB) }

// sectionB: the token endpoint.
var sectionB = []Fault{
	{
		ID: "B01", Name: "token-error-each", Grade: Must, Seam: SeamToken, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"Mỗi lỗi của điểm cuối token", "Each error of the token endpoint"},
		What:  Text{"Điểm cuối token từ chối với một mã lỗi của chuẩn.", "The token endpoint refuses with an error of the standard."},
		Right: Text{"Trang lỗi; không thử lại liên tục.", "A page; no storm of retries."},
		Spec:  []string{"RFC 6749 §5.2"},
		Variants: []Variant{
			{"invalid-grant", Text{"mã không hợp lệ", "invalid_grant"}}, {"invalid-client", Text{"ứng dụng không xác thực được", "invalid_client"}},
			{"unauthorized-client", Text{"ứng dụng không được phép", "unauthorized_client"}}, {"invalid-request", Text{"yêu cầu sai", "invalid_request"}},
			{"unsupported-grant-type", Text{"grant không hỗ trợ", "unsupported_grant_type"}},
		},
		hooks: hooks{on: []Kind{Token}, request: func(x *Exchange) {
			code := map[string]string{"invalid-client": "invalid_client", "unauthorized-client": "unauthorized_client", "invalid-request": "invalid_request", "unsupported-grant-type": "unsupported_grant_type"}[x.Variant]
			if code == "" {
				code = "invalid_grant"
			}
			status := http.StatusBadRequest
			if code == "invalid_client" {
				status = http.StatusUnauthorized
			}
			refuseToken(x, status, code)
		}},
	},
	{
		ID: "B02", Name: "token-500-html", Grade: Must, Seam: SeamToken, Signals: []Signal{NoSession, NoRetry},
		Title:    Text{"Điểm cuối token hỏng", "The token endpoint is broken"},
		What:     Text{"Lỗi máy chủ với một trang HTML.", "A server error with a page of HTML."},
		Right:    Text{"Không đọc HTML như JSON; trang lỗi.", "Do not read HTML as JSON; a page."},
		Spec:     []string{"RFC 6749 §5.2", "RFC 9110 §15.6"},
		Variants: []Variant{{"500", Text{"lỗi 500", "status 500"}}, {"502", Text{"lỗi 502", "status 502"}}, {"503", Text{"lỗi 503", "status 503"}}},
		hooks: hooks{on: []Kind{Token}, request: func(x *Exchange) {
			status, err := strconv.Atoi(x.Variant)
			if err != nil {
				status = http.StatusInternalServerError
			}
			x.Reply(status, htmlType, brokenPage)
		}},
	},
	{
		ID: "B03", Name: "token-200-garbage", Grade: Must, Seam: SeamToken, Signals: unnoticed,
		Title: Text{"200 nhưng không phải JSON", "200 that is no JSON"},
		What:  Text{"200 với ba dấu chấm.", "200 with three dots."},
		Right: Text{"Từ chối, trang lỗi.", "Refuse; a page."},
		Spec:  []string{"RFC 6749 §5.1"},
		hooks: hooks{on: []Kind{Token}, response: func(x *Exchange) { x.Reply(http.StatusOK, "application/json", "...") }},
	},
	{
		ID: "B04", Name: "token-200-error-body", Grade: Must, Seam: SeamToken, Signals: unnoticed,
		Title: Text{"200 với thân báo lỗi", "200 with an error in it"},
		What:  Text{"Trạng thái 200, thân là {\"error\": …}.", "Status 200, and the body is {\"error\": …}."},
		Right: Text{"Coi là thất bại.", "Treat it as a failure."},
		Spec:  []string{"RFC 6749 §5.1", "RFC 6749 §5.2"},
		hooks: hooks{on: []Kind{Token}, response: func(x *Exchange) {
			x.Reply(http.StatusOK, "application/json", `{"error":"invalid_grant","error_description":"the code expired"}`)
		}},
	},
	{
		ID: "B05", Name: "no-id-token", Grade: Must, Seam: SeamToken, Signals: unnoticed,
		Title: Text{"Không có id_token", "No id_token"},
		What:  Text{"Phản hồi token thiếu id_token.", "The token response lacks id_token."},
		Right: Text{"Không đăng nhập chỉ bằng UserInfo.", "No sign-in by UserInfo alone."},
		Spec:  []string{"OIDC Core §3.1.3.3"},
		hooks: hooks{token: func(_ *Exchange, o *Object) { o.Delete("id_token") }},
	},
	{
		ID: "B06", Name: "id-token-wrong-type", Grade: Must, Seam: SeamToken, Signals: unnoticed,
		Title:    Text{"id_token sai kiểu", "id_token of a wrong type"},
		What:     Text{"id_token là null, rỗng, số, hoặc mảng.", "id_token is null, empty, a number, or an array."},
		Right:    Text{"Từ chối.", "Refuse."},
		Spec:     []string{"OIDC Core §3.1.3.3"},
		Variants: []Variant{{"null", Text{"null", "JSON null"}}, {"empty", Text{"chuỗi rỗng", "an empty string"}}, {"number", Text{"một số", "a number"}}, {"array", Text{"một mảng", "an array"}}},
		hooks: hooks{token: func(x *Exchange, o *Object) {
			o.Set("id_token", map[string]any{"empty": "", "number": 42, "array": []string{o.String("id_token")}}[x.Variant]) // null: there is none
		}},
	},
	{
		ID: "B07", Name: "no-access-token", Grade: Should, Seam: SeamToken, Signals: []Signal{NoUserinfoCall, NoRetry},
		Title: Text{"Không có access_token", "No access_token"},
		What:  Text{"Phản hồi token thiếu access_token.", "The token response lacks access_token."},
		Right: Text{"Từ chối, hoặc đăng nhập không dùng UserInfo.", "Refuse, or sign in without UserInfo."},
		Spec:  []string{"RFC 6749 §5.1"},
		hooks: hooks{token: func(_ *Exchange, o *Object) { o.Delete("access_token") }},
	},
	{
		ID: "B08", Name: "token-type-unknown", Grade: Must, Seam: SeamToken, Signals: []Signal{NoUserinfoCall},
		Title:     Text{"token_type lạ", "An unknown token_type"},
		What:      Text{"token_type là mac, hoặc không có.", "token_type is mac, or absent."},
		Right:     Text{"Không dùng access token.", "Do not use the access token."},
		Spec:      []string{"RFC 6749 §7.1"},
		Skippable: &Text{"RFC 6749 §7.1 cấm dùng loại không hiểu, nhưng nhiều thư viện chỉ có Bearer.", "RFC 6749 §7.1 forbids types one does not understand; many libraries know Bearer only and do not look."},
		Variants:  []Variant{{"mac", Text{"kiểu mac", "type mac"}}, {"missing", Text{"không có", "absent"}}},
		hooks: hooks{token: func(x *Exchange, o *Object) {
			if x.Variant == "missing" {
				o.Delete("token_type")
				return
			}
			o.Set("token_type", "mac")
		}},
	},
	{
		ID: "B09", Name: "token-type-case", Grade: Accept, Seam: SeamToken, Signals: mustBeTaken,
		Title:    Text{"token_type viết khác kiểu chữ", "token_type in another case"},
		What:     Text{"bearer, hoặc BEARER.", "It is bearer, or BEARER."},
		Right:    Text{"Chấp nhận: không phân biệt hoa thường.", "Accept it: case does not count."},
		Spec:     []string{"RFC 6749 §5.1"},
		Variants: []Variant{{"lower", Text{"chữ thường", "lower case"}}, {"upper", Text{"chữ hoa", "upper case"}}},
		hooks: hooks{token: func(x *Exchange, o *Object) {
			if x.Variant == "upper" {
				o.Set("token_type", "BEARER")
				return
			}
			o.Set("token_type", "bearer")
		}},
	},
	{
		ID: "B10", Name: "no-expires-in", Grade: Accept, Seam: SeamToken, Signals: mustBeTaken,
		Title: Text{"Không có expires_in", "No expires_in"},
		What:  Text{"expires_in không có.", "expires_in is absent."},
		Right: Text{"Chấp nhận.", "Accept it."},
		Spec:  []string{"RFC 6749 §5.1"},
		hooks: hooks{token: func(_ *Exchange, o *Object) { o.Delete("expires_in") }},
	},
	{
		ID: "B11", Name: "expires-in-odd", Grade: Should, Seam: SeamToken, Signals: withAPage,
		Title:    Text{"expires_in lạ", "An odd expires_in"},
		What:     Text{"expires_in là chuỗi, số âm, hoặc 0.", "expires_in is a string, negative, or 0."},
		Right:    Text{"Đọc cẩn thận; không hỏng; ≤ 0 là đã hết hạn.", "Read it with care; do not crash; 0 or less has expired."},
		Spec:     []string{"RFC 6749 §5.1"},
		Variants: []Variant{{"text", Text{"chuỗi", "a string"}}, {"negative", Text{"số âm", "negative"}}, {"zero", Text{"số 0", "zero"}}},
		hooks: hooks{token: func(x *Exchange, o *Object) {
			o.Set("expires_in", map[string]any{"text": "3600", "negative": -1, "zero": 0}[x.Variant])
		}},
	},
	{
		ID: "B12", Name: "scope-narrowed", Grade: Should, Seam: SeamToken, Signals: forPeople,
		Title: Text{"Ít quyền hơn đã hỏi", "Less scope than asked for"},
		What:  Text{"Phản hồi token nói chỉ được openid.", "The token response says that openid alone was granted."},
		Right: Text{"Nhận ra thông tin thiếu và giải thích.", "Notice what is missing, and explain."},
		Spec:  []string{"RFC 6749 §3.3", "RFC 6749 §5.1"},
		hooks: hooks{token: func(_ *Exchange, o *Object) { o.Set("scope", "openid") }},
	},
	{
		ID: "B13", Name: "duplicate-json-keys", Grade: Should, Seam: SeamToken, Signals: forPeople,
		Title: Text{"Thành viên JSON lặp lại", "A JSON member comes twice"},
		What:  Text{"Hai id_token: cái đúng, rồi một cái ký bằng khóa lạ.", "Two id_tokens: the right one, then one signed by a foreign key."},
		Right: Text{"Từ chối, hoặc luôn lấy cái cuối và kiểm tra nó.", "Refuse, or always take the last and check it."},
		Spec:  []string{"RFC 8259 §4", "RFC 7519 §4"},
		hooks: hooks{token: func(x *Exchange, o *Object) {
			t, err := x.engine.parseJWT(o.String("id_token"))
			if err != nil {
				x.Untouched()
				return
			}
			byForeignKey(t, t.kid)
			text, err := t.compact(x.Ctx())
			x.engine.must(x, err)
			o.Add("id_token", text)
		}},
	},
	{
		ID: "B14", Name: "content-type-html", Grade: Either, Seam: SeamToken, Signals: forPeople,
		Title: Text{"JSON mang kiểu text/html", "JSON as text/html"},
		What:  Text{"Thân đúng, Content-Type là text/html.", "The body is right, Content-Type text/html."},
		Right: Text{"Từ chối hoặc chấp nhận.", "Refuse or take it."},
		Spec:  []string{"RFC 6749 §5.1"},
		hooks: hooks{on: []Kind{Token}, response: func(x *Exchange) { x.Answer.Header.Set("Content-Type", htmlType) }},
	},
	{
		ID: "B15", Name: "utf8-bom", Grade: Either, Seam: SeamToken, Signals: forPeople,
		Title: Text{"BOM trước JSON", "A BOM before the JSON"},
		What:  Text{"Ba byte EF BB BF đứng trước thân.", "The bytes EF BB BF stand before the body."},
		Right: Text{"Từ chối hoặc chấp nhận.", "Refuse or take it."},
		Spec:  []string{"RFC 8259 §8.1"},
		hooks: hooks{on: []Kind{Token}, response: func(x *Exchange) { x.Answer.Body = append([]byte("\ufeff"), x.Answer.Body...) }},
	},
	{
		ID: "B16", Name: "wrong-client-token", Grade: Must, Seam: SeamToken, Signals: unnoticed,
		Title: Text{"Token của ứng dụng khác", "Another client's token"},
		What:  Text{"ID token thật, cấp cho một ứng dụng khác: aud, azp và sub đều của nó.", "A real ID token issued to another client: aud, azp and sub are its own."},
		Right: Text{"Từ chối khi aud không phải mình.", "Refuse when aud is somebody else."},
		Spec:  []string{"OIDC Core §3.1.3.7 (3)"},
		hooks: hooks{idToken: func(_ *Exchange, t *JWT) {
			t.Claims.Set("aud", otherClient)
			t.Claims.Set("azp", otherClient)
			t.Claims.Set("sub", "their-"+t.Claims.String("sub"))
		}},
	},
	{
		ID: "B17", Name: "encrypted-when-not-asked", Grade: Must, Seam: SeamToken, Signals: unnoticed,
		Title: Text{"ID token mã hóa dù không hỏi", "An encrypted ID token that nobody asked for"},
		What:  Text{"id_token là một JWE cho khóa mà cổng không có.", "id_token is a JWE for a key that the portal does not have."},
		Right: Text{"Từ chối, trang lỗi.", "Refuse; a page."},
		Spec:  []string{"OIDC Core §3.1.3.7 (1)"},
		hooks: hooks{idToken: func(x *Exchange, t *JWT) {
			t.Alter = func(compact string) string {
				encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: &foreignKey().PublicKey}, (&jose.EncrypterOptions{}).WithContentType("JWT"))
				if err == nil {
					var whole *jose.JSONWebEncryption
					if whole, err = encrypter.Encrypt([]byte(compact)); err == nil {
						if text, err := whole.CompactSerialize(); err == nil {
							return text
						}
					}
				}
				x.engine.must(x, err)
				return compact
			}
		}},
	},
	{
		ID: "B18", Name: "code-already-used", Grade: Should, Seam: SeamToken, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"Mã đã có người dùng", "Somebody used the code before"},
		What:  Text{"Lần đổi mã đầu tiên bị từ chối: mã đã được dùng.", "The first redemption is refused: the code was used already."},
		Right: Text{"Nói về an toàn, mời đăng nhập lại; không gửi lại mã.", "Speak of security, offer to begin again; never send the code again."},
		Spec:  []string{"RFC 9700 §4.5", "RFC 6749 §4.1.2"},
		hooks: hooks{on: []Kind{Token}, response: func(x *Exchange) {
			if x.Form.Get("grant_type") != "authorization_code" {
				x.Untouched()
				return
			}
			refuseToken(x, http.StatusBadRequest, "invalid_grant")
		}},
	},
	{
		ID: "B19", Name: "refresh-invalid", Grade: Must, Seam: SeamToken, Signals: []Signal{NoRetry}, Asks: []string{"refresh_token"},
		Title: Text{"Refresh token bị từ chối", "The refresh token is refused"},
		What:  Text{"invalid_grant khi làm mới token.", "A refresh is answered with invalid_grant."},
		Right: Text{"Mời đăng nhập lại.", "Ask to sign in again."},
		Spec:  []string{"RFC 6749 §6", "RFC 9700 §4.14"},
		hooks: hooks{on: []Kind{Token}, request: func(x *Exchange) {
			if x.Form.Get("grant_type") != "refresh_token" {
				x.Untouched()
				return
			}
			refuseToken(x, http.StatusBadRequest, "invalid_grant")
		}},
	},
	{
		ID: "B20", Name: "refresh-id-token-iss-changed", Grade: Must, Seam: SeamIDToken, Signals: forPeople, Asks: []string{"refresh_token"},
		Title: Text{"iss đổi sau khi làm mới", "Another iss after a refresh"},
		What:  Text{"ID token mới mang iss khác.", "The new ID token has another iss."},
		Right: Text{"Từ chối.", "Refuse."},
		Spec:  []string{"OIDC Core §12.2"},
		hooks: refreshed(func(_ *Exchange, t *JWT) { t.Claims.Set("iss", "https://other-issuer.test") }),
	},
	{
		ID: "B21", Name: "refresh-id-token-sub-changed", Grade: Must, Seam: SeamIDToken, Signals: forPeople, Asks: []string{"refresh_token"},
		Title: Text{"sub đổi sau khi làm mới", "Another sub after a refresh"},
		What:  Text{"ID token mới nói về người khác.", "The new ID token is about somebody else."},
		Right: Text{"Từ chối.", "Refuse."},
		Spec:  []string{"OIDC Core §12.2"},
		hooks: refreshed(func(_ *Exchange, t *JWT) { t.Claims.Set("sub", "somebody-else-0123456789") }),
	},
	{
		ID: "B22", Name: "refresh-claims-changed", Grade: Should, Seam: SeamIDToken, Signals: forPeople, Asks: []string{"refresh_token"},
		Title:    Text{"aud hoặc auth_time đổi sau khi làm mới", "Another aud or auth_time after a refresh"},
		What:     Text{"ID token mới trái với luật của việc làm mới.", "The new ID token breaks the rules of a refresh."},
		Right:    Text{"Từ chối.", "Refuse."},
		Spec:     []string{"OIDC Core §12.2"},
		Variants: []Variant{{"aud", Text{"aud khác", "another aud"}}, {"auth-time", Text{"auth_time khác", "another auth_time"}}},
		hooks: refreshed(func(x *Exchange, t *JWT) {
			if x.Variant == "auth-time" {
				t.Claims.Set("auth_time", x.Now().Unix())
				return
			}
			t.Claims.Set("aud", otherClient)
		}),
	},
}

// refuseToken answers as RFC 6749 §5.2 does.
func refuseToken(x *Exchange, status int, code string) {
	x.Reply(status, "application/json", `{"error":"`+code+`","error_description":"refused on purpose"}`)
	x.Answer.Header.Set("Pragma", "no-cache")
	if status == http.StatusUnauthorized {
		x.Answer.Header.Set("WWW-Authenticate", `Basic realm="vneid-sandbox"`)
	}
}

// refreshed is for ID tokens that come of a refresh.
func refreshed(change func(*Exchange, *JWT)) hooks {
	return hooks{idToken: func(x *Exchange, t *JWT) {
		if x.Form.Get("grant_type") != "refresh_token" {
			x.Untouched()
			return
		}
		change(x, t)
	}}
}
