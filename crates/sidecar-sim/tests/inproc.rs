//! The handle and the in-process front, as a controller's test uses them.

use std::{sync::Arc, time::Duration};

use sei_sidecar_api::{
    Class, Health, SidecarApi, SidecarError, SidecarFactory, TaskRequest, TaskSpec, TaskStatus,
    TaskType, TransportKind,
};
use sei_sidecar_sim::{
    Event, Op, RequestAction, RequestFault, Sidecars, Target, TaskAction, TaskFault,
};
use tokio::time::Instant;
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(7);

/// Sidecars under tokio's clock, which stands still in these tests unless it is waited for.
fn sidecars() -> (Sidecars, Arc<dyn SidecarApi>) {
    let start = Instant::now();
    let clock = move || jiff::Timestamp::UNIX_EPOCH + start.elapsed();
    let sidecars = Sidecars::new().with_clock(clock);
    let api = sidecars.for_node("sei", "rpc-0");
    (sidecars, api)
}

fn mark_ready() -> TaskRequest {
    TaskRequest::new(ID, &TaskSpec::MarkReady)
}

async fn status(api: &Arc<dyn SidecarApi>, id: Uuid) -> Option<TaskStatus> {
    api.get(id).await.ok().flatten().map(|row| row.status)
}

#[tokio::test(start_paused = true)]
async fn an_unprogrammed_sidecar_completes_at_once() {
    let (sidecars, api) = sidecars();
    assert_eq!(api.get(ID).await, Ok(None));
    assert_eq!(api.submit(&mark_ready()).await, Ok(ID));
    assert_eq!(status(&api, ID).await, Some(TaskStatus::Completed));
    assert_eq!(api.healthz().await, Ok(Health::Ready));
    assert_eq!(api.livez().await, Ok(true));
    assert_eq!(api.node_id().await.unwrap().as_str().len(), 40);
    assert_eq!(api.list().await.unwrap().len(), 1);
    assert_eq!(sidecars.submitted_count(), 1);
    assert_eq!(sidecars.node("sei", "rpc-0").calls(Op::Get), 2);
}

#[tokio::test(start_paused = true)]
async fn tasks_take_the_time_they_are_told_to() {
    let (sidecars, api) = sidecars();
    sidecars.complete_after(Duration::from_secs(5));
    sidecars.task_takes(TaskType::ConfigValidate, Duration::from_secs(1));
    api.submit(&mark_ready()).await.unwrap();
    let other = Uuid::from_u128(8);
    api.submit(&TaskRequest::new(other, &TaskSpec::ConfigValidate)).await.unwrap();
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(status(&api, ID).await, Some(TaskStatus::Running));
    assert_eq!(status(&api, other).await, Some(TaskStatus::Completed));
    assert_eq!(api.healthz().await, Ok(Health::NotReady));
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(api.healthz().await, Ok(Health::Ready));
}

#[tokio::test(start_paused = true)]
async fn failures_run_out_and_each_submit_is_a_run() {
    let (sidecars, api) = sidecars();
    sidecars.fail_times(Target::any().task(TaskType::MarkReady), 2, "not yet");
    for run in 1..=3 {
        api.submit(&mark_ready()).await.unwrap();
        let row = api.get(ID).await.unwrap().unwrap();
        assert_eq!(row.run, run);
        let want = if run < 3 { TaskStatus::Failed } else { TaskStatus::Completed };
        assert_eq!((row.status, row.error.is_some()), (want, run < 3));
    }
    let node = sidecars.node("sei", "rpc-0");
    assert_eq!(node.executions(&ID.to_string()), 3);
    assert_eq!((node.submissions().len(), sidecars.submitted_count()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_restart_closes_the_gate_and_keeps_the_rows() {
    let (sidecars, api) = sidecars();
    api.submit(&mark_ready()).await.unwrap();
    assert_eq!(api.healthz().await, Ok(Health::Ready));
    let node = sidecars.node("sei", "rpc-0");
    node.restart();
    assert_eq!(api.healthz().await, Ok(Health::NotReady));
    assert_eq!(status(&api, ID).await, Some(TaskStatus::Completed));
    api.submit(&mark_ready()).await.unwrap();
    assert_eq!(api.healthz().await, Ok(Health::NotReady), "the same id does not open it again");
    api.submit(&TaskRequest::new(Uuid::from_u128(9), &TaskSpec::MarkReady)).await.unwrap();
    assert_eq!(api.healthz().await, Ok(Health::Ready));

    node.replace_disk();
    assert_eq!(api.get(ID).await, Ok(None));
    let events: Vec<Event> = sidecars.journal().into_iter().map(|entry| entry.event).collect();
    assert_eq!(
        events[events.len() - 3..],
        [Event::ProcessStopped, Event::DiskReplaced, Event::ProcessStarted]
    );
}

#[tokio::test(start_paused = true)]
async fn broken_ways_are_transient_errors_that_end_in_time() {
    let (sidecars, api) = sidecars();
    let node = sidecars.node("sei", "rpc-0");
    node.unreachable();
    let error = api.healthz().await.unwrap_err();
    assert_eq!(error, SidecarError::Transport { kind: TransportKind::Dns });
    assert_eq!(error.class(), Class::Transient);

    node.hangs();
    let before = Instant::now();
    let error = api.submit(&mark_ready()).await.unwrap_err();
    assert_eq!(error, SidecarError::Transport { kind: TransportKind::Timeout });
    assert_eq!(before.elapsed(), Duration::from_secs(10));

    node.reachable();
    node.stop();
    assert_eq!(api.get(ID).await, Err(SidecarError::Unavailable { status: 502 }));
    node.start();
    assert_eq!(api.get(ID).await, Ok(None), "what hung was not done");
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_a_done_task() {
    let (sidecars, api) = sidecars();
    let lost = RequestFault::new(Target::any(), RequestAction::LoseReply);
    sidecars.inject_request(lost.on(Op::Submit).times(1));
    assert!(api.submit(&mark_ready()).await.is_err());
    assert_eq!(status(&api, ID).await, Some(TaskStatus::Completed));
}

#[tokio::test(start_paused = true)]
async fn tasks_can_be_forgotten_and_statuses_invented() {
    let (sidecars, api) = sidecars();
    sidecars.inject_task(TaskFault::new(Target::any(), TaskAction::Forget).times(1));
    assert_eq!(api.submit(&mark_ready()).await, Ok(ID));
    assert_eq!(api.get(ID).await, Ok(None));
    api.submit(&mark_ready()).await.unwrap();
    let invented = RequestFault::new(Target::any(), RequestAction::SayStatus("queued".into()));
    sidecars.inject_request(invented.on(Op::Get).times(1));
    assert_eq!(status(&api, ID).await, Some(TaskStatus::Unknown("queued".into())));
    assert_eq!(status(&api, ID).await, Some(TaskStatus::Completed));
}

#[tokio::test(start_paused = true)]
async fn health_can_be_said_for_the_model() {
    let (sidecars, api) = sidecars();
    sidecars.default_health(Some(Health::Ready));
    assert_eq!(api.healthz().await, Ok(Health::Ready));
    let node = sidecars.node("sei", "rpc-0");
    node.not_ready();
    assert_eq!(api.healthz().await, Ok(Health::NotReady));
    assert!(!node.is_ready());
    node.honest_health();
    assert!(node.is_ready());
}

#[tokio::test(start_paused = true)]
async fn strict_sidecars_know_only_whom_they_were_told_of() {
    let sidecars = Sidecars::strict();
    let api = sidecars.for_node("sei", "rpc-0");
    let dns = SidecarError::Transport { kind: TransportKind::Dns };
    assert_eq!(api.healthz().await, Err(dns.clone()));
    sidecars.node("sei", "rpc-0").add();
    assert_eq!(api.healthz().await, Ok(Health::NotReady));
    sidecars.node("sei", "rpc-0").remove();
    assert_eq!(api.healthz().await, Err(dns));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_override_fails_the_task_and_not_the_submit() {
    let (sidecars, api) = sidecars();
    let params = serde_json::json!({"mode": "full", "overrides": {"foo.bar": "1"}});
    let spec = TaskSpec::from_stored(TaskType::ConfigApply, &params).unwrap();
    api.submit(&TaskRequest::new(ID, &spec)).await.unwrap();
    let row = api.get(ID).await.unwrap().unwrap();
    assert_eq!(
        row.error.as_deref(),
        Some("config-apply: applying overrides: unknown override key \"foo.bar\"")
    );
    assert_eq!(sidecars.node("sei", "rpc-0").config_mode(), None);
}
