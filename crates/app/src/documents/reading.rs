//! Documents in the words of the interface.

use fleetline_documents::{
    DocumentText, Effects, FieldPath, ParameterKind, Problem, ProblemKind, RunAs, SessionDocument,
    SessionType, Severity, check,
};
use fleetline_ipc::document::{
    DocumentCommand, DocumentEffects, DocumentForm, DocumentInputs, DocumentParameter, DocumentParameterKind,
    DocumentPort, DocumentProblemRow, DocumentReading, DocumentRunAs, DocumentSessionType, DocumentSyntax,
};
use serde_json::Value;

/// A text with its form and what is wrong with it.
pub(super) fn of(text: String) -> DocumentReading {
    match DocumentText::parse(text.as_str()) {
        Ok(document) => {
            let read = SessionDocument::read(&document);
            DocumentReading {
                problems: check(&document).iter().map(|problem| row(problem, &text)).collect(),
                form: Some(form(&document, &read)),
                effects: Some(effects(&read)),
                syntax: None,
                text,
            }
        }
        Err(error) => DocumentReading {
            text,
            syntax: Some(DocumentSyntax {
                line: count(error.line),
                column: count(error.column),
                message: format!("{}.", error.message.trim_end_matches('.')),
            }),
            form: None,
            problems: Vec::new(),
            effects: None,
        },
    }
}

fn row(problem: &Problem, text: &str) -> DocumentProblemRow {
    let place = problem.place;
    let column = count(place.column);
    let found = text.get(place.start..place.end).unwrap_or_default();
    // What stands on further lines is marked up to the end of the first one.
    let width = found.lines().next().unwrap_or_default().chars().count().max(1);
    DocumentProblemRow {
        path: problem.path.to_string(),
        error: problem.severity() == Severity::Error,
        message: problem.to_string(),
        meant: problem.kind.meant().map(str::to_owned),
        found: match &problem.kind {
            ProblemKind::Unknown { name, .. } | ProblemKind::UnknownParameter { name, .. } => {
                Some(name.clone())
            }
            ProblemKind::SessionType { found, .. } => Some(found.clone()),
            _ => None,
        },
        line: count(place.line),
        column,
        end_column: column.saturating_add(count(width)),
    }
}

fn form(document: &DocumentText, read: &SessionDocument) -> DocumentForm {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let inputs = &read.inputs;
    let value = document.value();
    // Times are shown as they are written, so that what is typed stays.
    let written = |name: &str| match value.get("inputs").and_then(|inputs| inputs.get(name)) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let platforms = [
        ("linux", &read.properties.linux),
        ("macos", &read.properties.macos),
        ("windows", &read.properties.windows),
    ];
    DocumentForm {
        description: text(&read.description),
        session_type: read.session_type.map(session_type),
        inputs: DocumentInputs {
            s3_bucket: text(&inputs.s3_bucket),
            s3_prefix: text(&inputs.s3_prefix),
            s3_encryption: inputs.s3_encryption,
            cloud_watch_group: text(&inputs.cloudwatch_group),
            cloud_watch_encryption: inputs.cloudwatch_encryption,
            cloud_watch_streaming: inputs.cloudwatch_streaming,
            kms_key: text(&inputs.kms_key),
            run_as: inputs.run_as,
            run_as_user: text(&inputs.run_as_user),
            idle_minutes: written("idleSessionTimeout"),
            max_minutes: written("maxSessionDuration"),
            linux_profile: text(&inputs.linux_profile),
            windows_profile: text(&inputs.windows_profile),
        },
        parameters: read.parameters.iter().map(parameter).collect(),
        commands: platforms
            .into_iter()
            .filter_map(|(platform, command)| {
                let command = command.as_ref()?;
                let at = FieldPath::from(["properties", platform]);
                document.place_of(&at)?;
                Some(DocumentCommand {
                    platform: platform.to_owned(),
                    commands: command.commands.clone(),
                    elevated: command.elevated,
                })
            })
            .collect(),
        port: DocumentPort {
            port: text(&read.properties.port.port),
            local_port: text(&read.properties.port.local_port),
            host: text(&read.properties.port.host),
            kind: text(&read.properties.port.kind),
        },
    }
}

/// A parameter for the editor and for connecting.
fn parameter(parameter: &fleetline_documents::Parameter) -> DocumentParameter {
    DocumentParameter {
        name: parameter.name.clone(),
        kind: match parameter.kind {
            ParameterKind::Text => DocumentParameterKind::Text,
            ParameterKind::TextList => DocumentParameterKind::TextList,
            ParameterKind::Other => DocumentParameterKind::Other,
        },
        description: parameter.description.clone().unwrap_or_default(),
        default: parameter.default.clone(),
        allowed_pattern: parameter.allowed_pattern.clone().unwrap_or_default(),
        allowed_values: parameter.allowed_values.clone(),
    }
}

/// What a document does to a session.
pub(super) fn effects(document: &SessionDocument) -> DocumentEffects {
    let effects = Effects::of(document);
    DocumentEffects {
        content_can_be_logged: effects.content_can_be_logged,
        s3: effects.s3.map(|target| match target.prefix {
            Some(prefix) => format!("{}/{prefix}", target.bucket),
            None => target.bucket,
        }),
        streams: effects.cloudwatch.as_ref().is_some_and(|target| target.streams),
        cloud_watch: effects.cloudwatch.map(|target| target.group),
        sealed_with: effects.sealed_with,
        run_as: match effects.run_as {
            RunAs::AgentUser { name } => DocumentRunAs::AgentUser { name: name.to_owned() },
            RunAs::Elevated => DocumentRunAs::Elevated,
            RunAs::Named { otherwise } => DocumentRunAs::Named { otherwise },
            RunAs::Nobody => DocumentRunAs::Nobody,
        },
        idle_minutes: effects.idle_minutes,
        max_minutes: effects.max_minutes,
    }
}

pub(super) fn session_type(kind: SessionType) -> DocumentSessionType {
    match kind {
        SessionType::StandardStream => DocumentSessionType::StandardStream,
        SessionType::InteractiveCommands => DocumentSessionType::InteractiveCommands,
        SessionType::NonInteractiveCommands => DocumentSessionType::NonInteractiveCommands,
        SessionType::Port => DocumentSessionType::Port,
    }
}

pub(super) fn kind_of(kind: DocumentSessionType) -> SessionType {
    match kind {
        DocumentSessionType::StandardStream => SessionType::StandardStream,
        DocumentSessionType::InteractiveCommands => SessionType::InteractiveCommands,
        DocumentSessionType::NonInteractiveCommands => SessionType::NonInteractiveCommands,
        DocumentSessionType::Port => SessionType::Port,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
