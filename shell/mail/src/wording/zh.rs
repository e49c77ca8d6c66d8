//! Simplified Chinese.

use super::{PurposeWording, Wording};

pub(super) const WORDING: Wording = Wording {
    tag: "zh-Hans",
    reset: PurposeWording {
        subject: "重置密码的验证码：设备 {serial}",
        heading: "您的密码重置验证码",
        reason: "有人请求重置以下设备的密码。您的邮箱是该设备上登记的预留邮箱。",
        instruction: "请在显示二维码的设备屏幕上输入此验证码，然后设置新密码。",
        if_not_you: "可能有人在设备旁或在设备所在的网络中选择了“忘记密码”。没有此验证码，什么都不会改变，原密码仍然有效。\
                     请检查哪些人能够接触该设备和您的网络。",
    },
    confirm: PurposeWording {
        subject: "确认此邮箱：设备 {serial}",
        heading: "请确认此邮箱",
        reason: "此邮箱已在以下设备上登记为预留邮箱：如果忘记密码，验证码将发送到这里。",
        instruction: "请在显示二维码的设备屏幕上输入此验证码，以确认邮箱填写无误。",
        if_not_you: "可能有人在别的设备上误填了您的邮箱。没有此验证码，该邮箱不会通过确认，您无需进行任何操作。",
    },
    validity: "验证码的剩余有效时间以设备屏幕显示为准（通常自二维码显示起 30 分钟）。验证码只能使用一次，且仅适用于本设备。",
    secrecy: "请勿将此验证码告诉任何人，包括在电话中自称客服的人。真正帮助您的人不需要它。",
    not_you: "不是您本人操作？",
    model: "型号",
    serial: "序列号",
    firmware: "固件版本",
    asked_at: "请求时间",
    device_clock: "设备时钟",
    running_since: "设备启动时间",
    clock_not_set: "未设置",
    footer: "本邮件由 {service} 发送，不含任何链接和图片。如果类似的邮件要求您点击任何内容，则并非由我们发出。",
};
