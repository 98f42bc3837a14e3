//! Answers as S3 writes them.

use jiff::Timestamp;

use super::store::Object;

/// A time as HTTP headers have it.
pub(super) fn http_date(epoch_ms: i64) -> String {
    let time = Timestamp::from_millisecond(epoch_ms).unwrap_or_default();
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The answer of ListObjectsV2. The token of the next page is the last key.
pub(super) fn listing(
    bucket: &str,
    prefix: &str,
    most: usize,
    found: &[(String, Object)],
    more: bool,
) -> String {
    let escape = |text: &str| quick_xml::escape::escape(text).into_owned();
    let contents: String = found
        .iter()
        .map(|(key, object)| {
            let modified = Timestamp::from_millisecond(object.modified_ms).unwrap_or_default();
            format!(
                "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size>\
                 <StorageClass>STANDARD</StorageClass></Contents>",
                escape(key),
                modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                object.etag,
                object.bytes.len()
            )
        })
        .collect();
    let next = match found.last().filter(|_| more) {
        Some((key, _)) => format!("<NextContinuationToken>{}</NextContinuationToken>", escape(key)),
        None => String::new(),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount>\
         <MaxKeys>{most}</MaxKeys><IsTruncated>{more}</IsTruncated>{next}{contents}</ListBucketResult>",
        escape(bucket),
        escape(prefix),
        found.len(),
    )
}
