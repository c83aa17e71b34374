//! Messages: who wrote what where, and the service messages that we act on.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::loose::{each, loosely, or_default};
use super::content::Payment;
use crate::ids::{ChatId, UserId};

/// A person or bot (Bot API `User`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Person {
    pub id: UserId,
    #[serde(default, deserialize_with = "or_default")]
    pub is_bot: bool,
    /// May be empty: Telegram writes "" when it knows no name.
    #[serde(default, deserialize_with = "or_default")]
    pub first_name: String,
    pub last_name: Option<String>,
    /// Without the `@`.
    pub username: Option<String>,
    /// IETF tag of the person's app, e.g. `es` or `pt-br`.
    pub language_code: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Chat {
    pub id: ChatId,
    /// `private`, `group`, `supergroup`, `channel`, or one that Telegram made up since; empty when it says none.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
}

impl Chat {
    /// A chat with one person; without a type, ids above zero are people's.
    pub fn is_private(&self) -> bool {
        if self.kind.is_empty() { self.id.0 > 0 } else { self.kind == "private" }
    }
}

/// A message with what we handle of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Message {
    /// 0 for a message that only its receiver sees (ephemeral).
    pub message_id: i64,
    /// Absent in channels.
    pub from: Option<Person>,
    pub chat: Chat,
    /// Seconds since 1970.
    pub date: i64,
    /// The forum topic.
    #[serde(rename = "message_thread_id")]
    pub thread_id: Option<i64>,
    pub text: Option<String>,
    pub caption: Option<String>,
    #[serde(default, deserialize_with = "each")]
    pub entities: Vec<Entity>,
    #[serde(default, deserialize_with = "each")]
    pub caption_entities: Vec<Entity>,
    #[serde(default, deserialize_with = "loosely")]
    reply_to_message: Option<ReplyTo>,
    pub successful_payment: Option<Payment>,
    pub refunded_payment: Option<Payment>,
    /// The group became a supergroup with this id.
    pub migrate_to_chat_id: Option<ChatId>,
    #[serde(default, deserialize_with = "loosely")]
    forum_topic_created: Option<TopicName>,
    #[serde(default, deserialize_with = "loosely")]
    forum_topic_edited: Option<TopicRename>,
    forum_topic_closed: Option<IgnoredAny>,
    forum_topic_reopened: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "each")]
    photo: Vec<FileRef>,
    #[serde(default, deserialize_with = "loosely")]
    animation: Option<FileRef>,
    #[serde(default, deserialize_with = "loosely")]
    document: Option<FileRef>,
    #[serde(default, deserialize_with = "loosely")]
    video: Option<FileRef>,
    #[serde(default, deserialize_with = "loosely")]
    video_note: Option<FileRef>,
    #[serde(default, deserialize_with = "loosely")]
    voice: Option<FileRef>,
    #[serde(default, deserialize_with = "loosely")]
    audio: Option<FileRef>,
    #[serde(default, deserialize_with = "loosely")]
    sticker: Option<FileRef>,
}

impl Message {
    /// The message that this one replies to; in a topic, Telegram names the topic's own first message.
    pub fn reply_to(&self) -> Option<i64> {
        self.reply_to_message.as_ref().map(|it| it.message_id)
    }

    /// What happened to a forum topic.
    pub fn topic_event(&self) -> Option<TopicEvent<'_>> {
        if let Some(topic) = &self.forum_topic_created {
            Some(TopicEvent::Created { name: &topic.name })
        } else if let Some(topic) = &self.forum_topic_edited {
            Some(TopicEvent::Edited { name: topic.name.as_deref() })
        } else if self.forum_topic_closed.is_some() {
            Some(TopicEvent::Closed)
        } else {
            self.forum_topic_reopened.map(|_| TopicEvent::Reopened)
        }
    }

    /// The file of the message, a photo in its largest size. An animation also comes as a document, for old readers.
    pub fn file(&self) -> Option<File<'_>> {
        let kinds = [
            (FileKind::Photo, self.photo.last()),
            (FileKind::Animation, self.animation.as_ref()),
            (FileKind::Document, self.document.as_ref()),
            (FileKind::Video, self.video.as_ref()),
            (FileKind::VideoNote, self.video_note.as_ref()),
            (FileKind::Voice, self.voice.as_ref()),
            (FileKind::Audio, self.audio.as_ref()),
            (FileKind::Sticker, self.sticker.as_ref()),
        ];
        let (kind, file) = kinds.into_iter().find_map(|(kind, file)| Some((kind, file?)))?;
        Some(File { kind, file_id: &file.file_id, name: file.file_name.as_deref() })
    }
}

/// A marked part of a text, in UTF-16 units, which a hostile body may put anywhere: check before slicing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entity {
    #[serde(rename = "type")]
    pub kind: String,
    pub offset: u32,
    pub length: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicEvent<'a> {
    Created {
        name: &'a str,
    },
    /// None when only the icon changed.
    Edited {
        name: Option<&'a str>,
    },
    Closed,
    Reopened,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Photo,
    Animation,
    Document,
    Video,
    VideoNote,
    Voice,
    Audio,
    Sticker,
}

/// A file at Telegram, to send on or to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<'a> {
    pub kind: FileKind,
    pub file_id: &'a str,
    pub name: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct FileRef {
    file_id: String,
    #[serde(default, deserialize_with = "loosely")]
    file_name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct ReplyTo {
    message_id: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct TopicName {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct TopicRename {
    name: Option<String>,
}
