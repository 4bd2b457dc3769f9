//! S10: an alert that nobody takes in time.

use std::time::Duration;

use budstikke::{AlertView, Client, Event, Role};
use tokio_stream::StreamExt as _;

use super::{HOUR, MINUTE, it_is};
use crate::{
    case::{alert::AlertPhase, wire::AckKind},
    demo::{
        cast,
        company::{Company, enrolled},
        papers,
        stage::Stage,
        stop::Stop,
        teller::Who::{DeciderK, DeskM, DutyD, OfficerA, Relay},
    },
};

const TAKEN: &str = "I have it. You hear from me at 19:00.";
/// A relay looks several times a second for what is due.
const PATIENCE: Duration = Duration::from_secs(30);

/// Four evenings: passed on and taken, taken in time, taken by nobody, taken back.
pub(super) async fn tell(stage: &mut Stage<'_>) -> Result<(), Stop> {
    stage.tell.scene("demo-s10-scene-company");
    let company = Company::gather_apart(stage).await?;
    let duty = stage.vaults.create("duty").await?;
    enrolled(stage, &company.desk, &duty, (cast::DUTY_D, Role::Duty)).await?;
    let office = Office { company, duty };
    office.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-s10-gathered", &[]);
    passed_on(stage, &office).await?;
    in_time(stage, &office).await?;
    nobody(stage, &office).await?;
    office.duty.close().await?;
    office.company.close().await
}

/// Everybody, and the duty officer at home.
struct Office {
    company: Company,
    duty: Client,
}

impl Office {
    async fn settle(&self, stage: &Stage<'_>) -> Result<(), Stop> {
        let Company { a, desk, k, .. } = &self.company;
        stage.settle(&[a, desk, &self.duty, k]).await
    }

    /// Officer A raises an alert, and it gets to the desk's device.
    async fn raise(&self, stage: &Stage<'_>, exercise: bool) -> Result<AlertView, Stop> {
        let Company { a, desk, case, .. } = &self.company;
        let mut file = papers::alert(stage.now())?;
        if exercise {
            file = papers::exercise(stage.now())?;
        }
        file.alert.brief_hash.clear();
        a.raise_alert(case, file).await?;
        stage.settle(&[a, desk]).await?;
        newest(a).await
    }
}

/// Friday: the desk is away, the mission has no power, and the duty officer has it all the same.
async fn passed_on(stage: &mut Stage<'_>, office: &Office) -> Result<(), Stop> {
    stage.tell.scene("demo-s10-scene-passed-on");
    let Office { company: Company { a, desk, k, .. }, duty } = office;
    it_is(stage, 1, (17, 5));
    office.settle(stage).await?;
    let raised = office.raise(stage, false).await?;
    stage.tell.does(OfficerA, "demo-s10-raises", &[]);
    stage.tell.quote(std::slice::from_ref(&raised.alert.headline));
    let at = raised.alert.raised_at_s;
    let next = raised.next.is_some_and(|(_, when)| when == at + HOUR);
    stage.tell.check("demo-s10-check-named", next && raised.ack_by_s == at + HOUR)?;
    it_is(stage, 1, (17, 10));
    stage.tell.does(OfficerA, "demo-s10-power-cut", &[]);
    it_is(stage, 1, (17, 20));
    desk.acknowledge_alert(&raised.id, AckKind::SeenNotMine, 0, "").await?;
    desk.sync().await?;
    stage.tell.does(DeskM, "demo-s10-reads", &[]);
    it_is(stage, 1, (17, 50));
    let loud = events(desk).await?.contains(&Event::AlertNear { alert: raised.id.clone() });
    stage.tell.check("demo-s10-check-loud", loud)?;
    it_is(stage, 1, (18, 4));
    stage.tell.check("demo-s10-check-early", silent(duty).await? && silent(k).await?)?;

    it_is(stage, 1, (18, 5));
    stage.tell.does(Relay, "demo-s10-releases", &[]);
    hears(duty).await?;
    let copy = newest(duty).await?;
    stage.tell.sees(DutyD, "demo-s10-d-sees", &[]);
    let from = copy.raised_by.as_ref().map(|(unit, who)| (unit.as_str(), who.as_str()));
    let from = from == Some((cast::MISSION, cast::OFFICER_A));
    stage.tell.check("demo-s10-check-copy", from && copy.id == raised.id && copy.overdue)?;
    it_is(stage, 1, (18, 22));
    let next_word = stage.now() + 38 * MINUTE;
    duty.acknowledge_alert(&raised.id, AckKind::SeenAndMine, next_word, TAKEN).await?;
    duty.sync().await?;
    stage.tell.does(DutyD, "demo-s10-takes", &[]);
    stage.tell.quote(&[TAKEN.to_owned()]);
    it_is(stage, 1, (18, 40));
    stage.tell.does(Relay, "demo-s10-calls-off", &[]);

    it_is(stage, 4, (8, 30));
    stage.settle(&[desk, a, duty]).await?;
    stage.tell.sees(DeskM, "demo-s10-monday", &[]);
    let mut handled = silent(k).await?;
    for client in [a, desk, duty] {
        let alert = newest(client).await?;
        let who = alert.acked_by.as_ref().map(|(who, _)| who.as_str());
        handled &= who == Some(cast::DUTY_D) && alert.phase == AlertPhase::Acked;
    }
    Ok(stage.tell.check("demo-s10-check-handled", handled)?)
}

/// Taken within the hour: nobody else is woken.
async fn in_time(stage: &mut Stage<'_>, office: &Office) -> Result<(), Stop> {
    stage.tell.scene("demo-s10-scene-in-time");
    let Office { company: Company { desk, k, .. }, duty } = office;
    it_is(stage, 4, (9, 0));
    let raised = office.raise(stage, false).await?;
    stage.tell.does(OfficerA, "demo-s10-raises-again", &[]);
    it_is(stage, 4, (9, 20));
    let next = stage.now() + HOUR;
    desk.acknowledge_alert(&raised.id, AckKind::InHand, next, "").await?;
    office.settle(stage).await?;
    stage.tell.does(DeskM, "demo-s10-takes-in-time", &[]);
    it_is(stage, 4, (9, 31));
    // Nothing marks a copy that does not come. What is released after it does: so one more alert goes past its
    // deadline, and its copy would come behind the first one's.
    let mark = office.raise(stage, false).await?;
    it_is(stage, 4, (10, 31));
    hears(duty).await?;
    let alerts = duty.alerts().await?;
    let only = alerts.iter().all(|alert| alert.id != raised.id);
    stage.tell.check("demo-s10-check-not-woken", only && silent(k).await?)?;
    // And that one is taken back by who raised it.
    let Company { a, .. } = &office.company;
    a.cancel_alert(&mark.id, "It was a mistake.").await?;
    office.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-s10-takes-back", &[]);
    let back = duty.alerts().await?.into_iter().find(|alert| alert.id == mark.id);
    let back = back.is_some_and(|alert| alert.phase == AlertPhase::Cancelled);
    Ok(stage.tell.check("demo-s10-check-taken-back", back)?)
}

/// A drill that shows what happens when nobody answers at all.
async fn nobody(stage: &mut Stage<'_>, office: &Office) -> Result<(), Stop> {
    stage.tell.scene("demo-s10-scene-nobody");
    let Office { company: Company { a, desk, k, .. }, duty } = office;
    it_is(stage, 4, (12, 0));
    let raised = office.raise(stage, true).await?;
    stage.tell.does(OfficerA, "demo-s10-exercise", &[]);
    stage.tell.quote(std::slice::from_ref(&raised.alert.headline));
    it_is(stage, 4, (13, 0));
    hears(duty).await?;
    stage.tell.sees(DutyD, "demo-s10-d-sees-exercise", &[]);
    let headline = newest(duty).await?.alert.headline;
    stage.tell.check("demo-s10-check-exercise", headline.starts_with("EXERCISE"))?;
    it_is(stage, 4, (13, 30));
    hears(k).await?;
    stage.tell.sees(DeciderK, "demo-s10-k-sees", &[]);
    it_is(stage, 4, (14, 0));
    let mut way = true;
    for client in [a, desk, duty, k] {
        let told = events(client).await?;
        way &= told.contains(&Event::AlertExhausted { alert: raised.id.clone() });
        let alert = client.alerts().await?.into_iter().find(|alert| alert.id == raised.id);
        way &= alert.is_some_and(|alert| {
            alert.phase == AlertPhase::Exhausted && !alert.off_channel.is_empty()
        });
    }
    let number = a.alerts().await?.into_iter().find(|alert| alert.id == raised.id);
    let number = number.map(|alert| alert.off_channel).unwrap_or_default();
    stage.tell.sees(OfficerA, "demo-s10-way-outside", &[("way", number.into())]);
    Ok(stage.tell.check("demo-s10-check-exhausted", way)?)
}

/// The alert raised last.
async fn newest(client: &Client) -> Result<AlertView, Stop> {
    let alerts = client.alerts().await?;
    let newest = alerts.into_iter().max_by_key(|alert| alert.alert.raised_at_s);
    Ok(newest.ok_or(budstikke::Error::NotFound { what: "the alert" })?)
}

/// Whether nothing has come that was not there before.
async fn silent(client: &Client) -> Result<bool, Stop> {
    Ok(!events(client).await?.iter().any(|event| matches!(event, Event::AlertForYou { .. })))
}

async fn events(client: &Client) -> Result<Vec<Event>, Stop> {
    let mut events = client.events();
    client.sync().await?;
    let mut told = Vec::new();
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(1), events.next()).await
    {
        told.push(event);
    }
    Ok(told)
}

/// Listens until a copy comes.
async fn hears(client: &Client) -> Result<(), Stop> {
    let mut events = client.events();
    let copy = async {
        while let Some(event) = events.next().await {
            if matches!(event, Event::AlertForYou { .. }) {
                return;
            }
        }
    };
    tokio::select! {
        ended = client.listen() => {
            ended?;
            Err(Stop::Ground("it stopped listening".to_owned()))
        }
        came = tokio::time::timeout(PATIENCE, copy) => {
            came.map_err(|_| Stop::Ground("no copy came".to_owned()))
        }
    }
}
