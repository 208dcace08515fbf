//! Valuation of stock histories.

use comptoir_host::Table;
use comptoir_host::costing::{History, policy};
use jni::objects::JByteArray;
use jni::sys::{jboolean, jlong};

use crate::call::{give, native, text};
use crate::handle::{self, Handle};
use crate::parts::Writer;

native! {
    fn Java_io_comptoir_Native_historyFree<'l>(_env, history: Handle<History>) -> () {
        history.free();
        Ok(())
    }
}

native! {
    fn Java_io_comptoir_Native_historyValue<'l>(
        env, policy: JByteArray<'l>, movements: Handle<Table>,
    ) -> jlong {
        let policy = text(env, &policy)?;
        Ok(handle::give(History::value(&policy, movements.get().clone())?))
    }
}

native! {
    fn Java_io_comptoir_Native_historyCounts<'l>(env, history: Handle<History>) -> JByteArray<'l> {
        let counts = history.get().counts();
        let mut parts = Writer::default();
        for count in [counts.input, counts.accepted, counts.rejected, counts.duplicates, counts.corrections] {
            parts.long(count.cast_signed());
        }
        give(env, parts.finish())
    }
}

native! {
    fn Java_io_comptoir_Native_historyLastDay<'l>(_env, history: Handle<History>) -> jlong {
        Ok(history.get().last_day()?.into())
    }
}

native! {
    fn Java_io_comptoir_Native_historyTable<'l>(
        env, history: Handle<History>, request: JByteArray<'l>, has_booked: jboolean, booked: Handle<Table>,
    ) -> jlong {
        let request = text(env, &request)?;
        let booked = has_booked.then(|| booked.get().clone());
        Ok(handle::give(history.get().table(&request, booked)?))
    }
}

native! {
    fn Java_io_comptoir_Native_historyControl<'l>(
        env, history: Handle<History>, template: JByteArray<'l>,
    ) -> JByteArray<'l> {
        let template = text(env, &template)?;
        let control = history.get().control(&template)?;
        give(env, control.as_bytes())
    }
}

native! {
    fn Java_io_comptoir_Native_policy<'l>(env, text_of_policy: JByteArray<'l>) -> JByteArray<'l> {
        let checked = policy(&text(env, &text_of_policy)?)?;
        give(env, checked.as_bytes())
    }
}
