using System.Diagnostics;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Deidentification;

public sealed class CostTests
{
    private static readonly Deidentifier Deidentifier = new(DeidentificationProfile.Basic, new Pseudonymizer(new byte[32]));

    [Fact]
    public void A_CT_image_is_split_in_less_than_a_millisecond_and_a_hundred_kilobytes()
    {
        DataSet set = DataFiles.ReadAll("data/train").Select(static f => f.File.DataSet)
            .First(static d => d.GetText(Tags.Modality) == "CT" && d.Count is >= 90 and <= 200);
        var best = TimeSpan.MaxValue;
        long allocated = long.MaxValue;
        for (int i = 0; i < 200; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            _ = Deidentifier.Deidentify(set);
            TimeSpan taken = Stopwatch.GetElapsedTime(start);
            best = taken < best ? taken : best;
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        best.ShouldBeLessThan(TimeSpan.FromMilliseconds(1));
        allocated.ShouldBeLessThan(100_000);
    }

    [Fact]
    public void Cost_grows_with_the_size_and_not_with_its_square()
    {
        DataSet small = Frames(2_000);
        DataSet large = Frames(20_000);
        _ = BestOf(small);

        // Ten times the items: about 10 when linear, about 100 if each value were looked for in each text by itself.
        (BestOf(large) / BestOf(small)).ShouldBeLessThan(40);
    }

    /// <summary>Items with a UID, a date and a kept text each, all values different, all UIDs and dates alike at the start.</summary>
    private static DataSet Frames(int items)
    {
        var set = new DataSet();
        set.Set(Element.Sequence(Tags.SharedFunctionalGroupsSequence, Enumerable.Range(0, items).Select(static i =>
        {
            var item = new DataSet();
            item.SetText(Tags.ReferencedSOPInstanceUID, $"1.2.3.{i}");
            item.SetText(Tags.FrameAcquisitionDateTime, $"2020010210{i:D5}");
            item.SetText(Tags.SoftwareVersions, $"kept 1.2.3 2020 {i}");
            return item;
        }).ToList()));
        return set;
    }

    /// <summary>The best of three: the others are the machine's.</summary>
    private static TimeSpan BestOf(DataSet set)
    {
        var best = TimeSpan.MaxValue;
        for (int i = 0; i < 3; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Deidentifier.Deidentify(set).Identity.Changes.Count.ShouldBeGreaterThan(2);
            TimeSpan taken = Stopwatch.GetElapsedTime(start);
            best = taken < best ? taken : best;
        }

        return best;
    }
}
