package main

// The words of linking.go, for the page /linking-rules and the audit.

var stateTexts = map[linkState]text{
	stateStranger: {"Người đến từ VNeID, chưa từng gặp", "Somebody from VNeID, never seen"},
	stateKnown:    {"Người đến từ VNeID, đã có tài khoản", "Somebody from VNeID with an account"},
	stateBare:     {"Tài khoản của Cổng, chưa khai CCCD", "Portal account without a CCCD"},
	stateDeclared: {"Tài khoản của Cổng, đã tự khai CCCD", "Portal account with a declared CCCD"},
	stateLinked:   {"Tài khoản của Cổng, đã liên kết VNeID", "Portal account linked with VNeID"},
	stateReleased: {"Tài khoản của Cổng, đã gỡ liên kết", "Portal account, unlinked"},
}

var eventTexts = map[linkEvent]text{
	eventArrives:     {"đăng nhập bằng VNeID", "signs in with VNeID"},
	eventSignsIn:     {"đăng nhập bằng mật khẩu của Cổng", "signs in with the portal's password"},
	eventDeclares:    {"nhập CCCD, bấm “Cập nhật”", "types a CCCD, presses “Update”"},
	eventJoins:       {"xin liên kết tài khoản cũ", "asks to link the old account"},
	eventRefuses:     {"bấm “Bỏ qua”", "presses “Skip”"},
	eventUnlinks:     {"xin gỡ liên kết", "asks to unlink"},
	eventJoinsRole:   {"xin liên kết vai trò cán bộ", "asks to link the officer's role"},
	eventTakesUpRole: {"chuyển sang vai trò cán bộ", "switches to the officer's role"},
}

var factTexts = map[fact]text{
	factVNeID:        {"phiên này do VNeID xác thực", "this session was proved by VNeID"},
	factPassword:     {"mật khẩu của tài khoản cũ vừa nhập đúng", "the old account's password was just right"},
	factNumberEqual:  {"CCCD do VNeID xác thực trùng CCCD đã khai", "the CCCD that VNeID verified is the declared one"},
	factCMNDEqual:    {"CMND cũ do VNeID cung cấp trùng CMND của tài khoản", "VNeID's old CMND is the account's"},
	factConfirmed:    {"người dùng xác nhận tài khoản là của mình", "the person confirmed that the account is theirs"},
	factOfficer:      {"tài khoản của cán bộ", "an officer's account"},
	factTaken:        {"một người khác trên VNeID đã xác thực số này trước", "another VNeID person verified this number before"},
	factSameOwner:    {"đúng người đã liên kết", "the very person it is, or was, linked to"},
	factCooling:      {"mới gỡ liên kết chưa quá 7 ngày", "unlinked less than 7 days ago"},
	factMatched:      {"CSDL Dân cư xác nhận số, họ tên và ngày sinh", "CSDL Dân cư knows number, name and birth date"},
	factFresh:        {"vừa đăng nhập lại VNeID cho việc này", "has just signed in to VNeID anew for this"},
	factNewPassword:  {"đã đặt mật khẩu mới hợp lệ", "a new, usable password was set"},
	factNoNumber:     {"VNeID không cung cấp CCCD", "VNeID told no CCCD"},
	factCandidate:    {"có tài khoản cũ đã khai số này", "an old account declared this number"},
	factRefused:      {"người này đã chọn “Bỏ qua”", "this person pressed “Skip” before"},
	factSomebodyElse: {"trình duyệt đang đăng nhập bằng người khác", "the browser is signed in as somebody else"},
	factChangedTwice: {"hai trong ba: số, họ tên, ngày sinh đã khác", "two of number, name and birth date are new"},
	factMappedIssuer: {"cùng mã tại địa chỉ cũ của hệ thống định danh", "the same sub under the issuer's former address"},
	factRoleJoined:   {"vai trò cán bộ đã liên kết", "the officer's role is linked"},
}

var linkTexts = map[linkAction]text{
	doOpen:         {"Vào tài khoản", "Into the account"},
	doOpenOwn:      {"Vào một tài khoản riêng, mới", "Into a new account of their own"},
	doOpenTaken:    {"Vào tài khoản riêng; báo rằng số này đã liên kết với người khác", "Into an account of their own; told that the number is linked to somebody else"},
	doOpenNoNumber: {"Vào tài khoản riêng; báo rằng thiếu CCCD nên không thể liên kết", "Into an account of their own; told that nothing can be linked without a CCCD"},
	doAskLink:      {"Vào tài khoản riêng và được hỏi có muốn liên kết tài khoản cũ", "Into an account of their own, and asked about linking the old one"},
	doAskWho:       {"Hỏi muốn tiếp tục bằng người nào; chưa đổi gì", "Asked who to go on as; nothing changes"},
	doMoveIssuer:   {"Vào tài khoản, nay theo địa chỉ mới của hệ thống định danh", "Into the account, now under the issuer's new address"},
	doAskNumber:    {"Vào tài khoản; được mời nhập CCCD", "Into the account; invited to enter a CCCD"},
	doDeclare:      {"Ghi nhận CCCD (tự khai)", "The CCCD is kept as declared"},
	doJoin:         {"Liên kết: hồ sơ chuyển sang tài khoản VNeID, mật khẩu cũ thôi hiệu lực, phiên khác kết thúc", "Linked: dossiers move to the VNeID account, the old password stops working, other sessions end"},
	doRemember:     {"Không liên kết, không mất gì; không hỏi lại", "Not linked, nothing lost; not asked again"},
	doUnlink:       {"Gỡ liên kết: hồ sơ ở lại tài khoản của Cổng với mật khẩu mới", "Unlinked: dossiers stay with the portal account and its new password"},
	doJoinRole:     {"Liên kết vai trò cán bộ; chưa chuyển vai trò", "The officer's role is linked, not yet taken up"},
	doTakeUpRole:   {"Làm việc với vai trò cán bộ trong phiên này", "Acts as an officer in this session"},
	doNothing:      {"Đã liên kết từ trước", "Linked already"},

	noReassigned:  {"Dừng lại, không ai được vào; cán bộ kiểm tra", "Stopped, nobody gets in; an officer looks"},
	noPassword:    {"Từ chối: mật khẩu không đúng", "Refused: wrong password"},
	noVNeID:       {"Từ chối: phải đăng nhập bằng VNeID", "Refused: sign in with VNeID"},
	noOtherNumber: {"Từ chối: số khác nhau, hoặc chưa xác nhận", "Refused: other numbers, or not confirmed"},
	noTaken:       {"Từ chối: đã liên kết với người khác", "Refused: linked to somebody else"},
	noCooling:     {"Từ chối: đang trong 7 ngày chờ sau khi gỡ", "Refused: within 7 days of an unlink"},
	noOfficer:     {"Từ chối: tài khoản cán bộ chỉ liên kết như một vai trò", "Refused: an officer's account is linked as a role only"},
	noUseVNeID:    {"Không vào bằng mật khẩu cũ: hãy đăng nhập bằng VNeID", "The old password no longer opens it: sign in with VNeID"},
	noMatch:       {"Từ chối: không khớp CSDL Dân cư", "Refused: CSDL Dân cư does not match"},
	noFresh:       {"Từ chối: cần đăng nhập lại VNeID", "Refused: a fresh VNeID sign-in is needed"},
	noNewPassword: {"Từ chối: cần mật khẩu mới hợp lệ", "Refused: a usable new password is needed"},
	noRule:        {"Không có gì xảy ra", "Nothing happens"},
}

var auditTexts = map[string]text{
	"dancu.match":        {"Hỏi CSDL Dân cư: khớp", "CSDL Dân cư asked: match"},
	"dancu.mismatch":     {"Hỏi CSDL Dân cư: không khớp", "CSDL Dân cư asked: no match"},
	"dancu.silent":       {"Hỏi CSDL Dân cư: không có trả lời", "CSDL Dân cư asked: no answer"},
	"dancu.limit":        {"Quá số lần nhập CCCD, không hỏi CSDL Dân cư", "Too many numbers tried; CSDL Dân cư not asked"},
	"link.conflict":      {"Số do VNeID xác thực đã thuộc về người khác", "The verified number belongs to another person already"},
	"number.missing":     {"VNeID không cung cấp CCCD", "VNeID told no CCCD"},
	"number.changed":     {"Số CCCD trên VNeID đã đổi", "The CCCD at VNeID has changed"},
	"number.odd":         {"Số CCCD không hợp với ngày sinh hoặc giới tính", "The CCCD disagrees with birth date or sex"},
	"name.changed":       {"Họ tên trên VNeID đã đổi", "The name at VNeID has changed"},
	"level.lower":        {"Mức tài khoản định danh thấp hơn trước", "The identity level is lower than before"},
	"consent.narrowed":   {"Bạn chia sẻ ít thông tin hơn trước", "Less is shared than before"},
	"issuer.moved":       {"Hệ thống định danh đổi địa chỉ, tài khoản đi theo", "The issuer moved, the account followed"},
	"identity.stopped":   {"Đăng nhập bị dừng: cùng mã nhưng là người khác", "Sign-in stopped: the same sub, another person"},
	"backchannel.logout": {"Phiên kết thúc theo yêu cầu của VNeID", "Session ended by VNeID"},
}

// whyTexts explain entries of the audit that are no row of the table.
var whyTexts = map[string]text{
	"two of three new":           {"hai trong ba thông tin số, họ tên, ngày sinh đã khác", "two of number, name and date of birth are new"},
	"another pair before":        {"một mã VNeID khác đã xác thực số này trước", "another VNeID identifier verified this number before"},
	"no number told":             {"VNeID không cung cấp số", "VNeID told no number"},
	"told before, not now":       {"lần trước có, lần này không", "told before, not now"},
	"mapped issuer, same number": {"địa chỉ cũ do người vận hành khai báo, số trùng nhau", "the operator named the old address, and the number is the same"},
	"same pair":                  {"cùng mã VNeID", "the same VNeID identifier"},
	"before":                     {"trước đây", "before"},
	"by sid":                     {"đúng phiên có mã sid", "the one session with this sid"},
	"by sub":                     {"mọi phiên của người này", "every session of this person"},
	"disagrees":                  {"không hợp ở", "disagrees in"},
	"no answer":                  {"không có trả lời", "no answer"},
	"too many tries":             {"quá số lần thử (tài khoản / số)", "too many tries (account / number)"},
}

var statusTexts = map[string]text{
	"filed":    {"Mới nộp", "Filed"},
	"accepted": {"Đã tiếp nhận", "Accepted"},
	"working":  {"Đang giải quyết", "In progress"},
	"more":     {"Cần bổ sung", "More papers needed"},
	"done":     {"Đã có kết quả", "Result ready"},
	"refused":  {"Từ chối", "Refused"},
}

var returnTexts = map[string]text{
	"online": {"Bản điện tử trên Cổng", "Electronically on the portal"},
	"office": {"Tại bộ phận một cửa", "At the one-stop office"},
	"post":   {"Qua bưu điện đến địa chỉ dưới đây", "By post to the address below"},
}
