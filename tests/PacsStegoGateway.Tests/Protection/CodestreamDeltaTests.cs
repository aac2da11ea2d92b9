using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Tests.Protection;

public sealed class CodestreamDeltaTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_difference_gives_the_target_back_and_is_short_when_little_differs(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 300; round++)
        {
            byte[] basis = new byte[random.Next(4000)];
            random.NextBytes(basis);
            var target = new List<byte>(basis);
            int edits = random.Next(6);
            for (int edit = 0; edit < edits; edit++)
            {
                int at = random.Next(target.Count + 1);
                if (random.Next(2) == 0)
                {
                    byte[] inserted = new byte[random.Next(20)];
                    random.NextBytes(inserted);
                    target.InsertRange(at, inserted);
                }
                else
                {
                    target.RemoveRange(at, Math.Min(random.Next(20), target.Count - at));
                }
            }

            byte[] wanted = [.. target];
            byte[] delta = CodestreamDelta.Encode(basis, wanted);
            CodestreamDelta.Apply(basis, delta).ShouldBe(wanted);
            delta.Length.ShouldBeLessThan(20 + (edits * 60));
        }
    }

    [Fact]
    public void Nothing_in_common_costs_little_more_than_the_target()
    {
        byte[] target = new byte[5000];
        new Random(4).NextBytes(target);
        foreach (byte[] basis in (byte[][])[[], [1, 2, 3], new byte[9000]])
        {
            byte[] delta = CodestreamDelta.Encode(basis, target);
            CodestreamDelta.Apply(basis, delta).ShouldBe(target);
            delta.Length.ShouldBeLessThan(target.Length + 16);
        }

        CodestreamDelta.Apply([], CodestreamDelta.Encode([1, 2], [])).ShouldBeEmpty();
    }

    [Fact]
    public void A_damaged_difference_is_refused_within_its_bounds()
    {
        byte[] basis = new byte[500];
        new Random(5).NextBytes(basis);
        byte[] delta = CodestreamDelta.Encode(basis, [.. basis[100..400], 1, 2, 3, .. basis[..50]]);
        var random = new Random(6);
        int refused = 0;
        for (int round = 0; round < 5000; round++)
        {
            byte[] damaged = (byte[])delta.Clone();
            damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                CodestreamDelta.Apply(basis, damaged.AsSpan(0, random.Next(3) == 0 ? random.Next(damaged.Length) : damaged.Length));
            }
            catch (DicomContentException)
            {
                refused++;
            }
        }

        refused.ShouldBeGreaterThan(1000);
        Should.Throw<DicomContentException>(() => CodestreamDelta.Apply(basis, [0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0, 0, 1]));
        Should.Throw<DicomContentException>(() => CodestreamDelta.Apply(basis, [0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 1]));
    }
}
