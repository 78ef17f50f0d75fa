"""All kinds of records: documents under their digests that prove a piece of work finished."""

from jobs.records.guides import GuideRecord, ReferenceRecord
from jobs.records.orders import HandlesRecord, SegmentRecord, SplitRecord

Record = SplitRecord | SegmentRecord | HandlesRecord | ReferenceRecord | GuideRecord
