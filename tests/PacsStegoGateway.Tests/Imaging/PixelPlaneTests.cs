using System.Buffers.Binary;
using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Tests.Imaging;

public sealed class PixelPlaneTests
{
    [Theory]
    [InlineData(16, 16, 15, false)]
    [InlineData(16, 16, 15, true)]
    [InlineData(16, 12, 11, false)]
    [InlineData(16, 12, 11, true)]
    [InlineData(16, 12, 15, false)]
    [InlineData(16, 10, 13, true)]
    [InlineData(16, 1, 0, false)]
    [InlineData(8, 8, 7, false)]
    [InlineData(8, 8, 7, true)]
    [InlineData(8, 5, 6, true)]
    public void Samples_are_read_within_their_bits_and_written_back_without_touching_others(int allocated, int stored, int highBit, bool isSigned)
    {
        PixelDescription description = Describe(allocated, stored, highBit, isSigned);
        byte[] frame = new byte[description.FrameLength];
        uint state = 7166;
        for (int i = 0; i < frame.Length; i++)
        {
            state = (state * 1664525) + 1013904223;
            frame[i] = (byte)(state >> 24);
        }

        PixelPlane plane = PixelPlane.Read(description, frame);
        for (int i = 0; i < plane.Samples.Length; i++)
        {
            int raw = allocated == 8 ? frame[i] : BinaryPrimitives.ReadUInt16LittleEndian(frame.AsSpan(i * 2));
            int value = (raw >> (highBit + 1 - stored)) & ((1 << stored) - 1);
            plane.Samples[i].ShouldBe(isSigned && value >= 1 << (stored - 1) ? value - (1 << stored) : value);
            plane.Samples[i].ShouldBeInRange(plane.MinimumValue, plane.MaximumValue);
        }

        byte[] same = (byte[])frame.Clone();
        plane.Write(description, same);
        same.ShouldBe(frame);

        plane.Samples[5] = plane.Samples[5] == plane.MaximumValue ? plane.MinimumValue : plane.Samples[5] + 1;
        plane.Write(description, same);
        PixelPlane.Read(description, same).Samples.ShouldBe(plane.Samples);
        int outside = ~(((1 << stored) - 1) << (highBit + 1 - stored));
        for (int i = 0; i < frame.Length; i++)
        {
            int shift = allocated == 8 ? 0 : (i & 1) * 8;
            ((same[i] ^ frame[i]) & (outside >> shift) & 0xFF).ShouldBe(0, "bits outside BitsStored belong to others");
        }
    }

    [Fact]
    public void A_sign_repeated_above_the_samples_follows_a_sample_that_changes_its_sign()
    {
        PixelDescription description = Describe(16, 12, 11, isSigned: true);
        byte[] frame = new byte[description.FrameLength];
        BinaryPrimitives.WriteInt16LittleEndian(frame, -5);
        BinaryPrimitives.WriteInt16LittleEndian(frame.AsSpan(2), -1);
        PixelPlane plane = PixelPlane.Read(description, frame);
        plane.Samples[1] = 1;
        plane.Samples[2] = -2;
        byte[] written = (byte[])frame.Clone();
        plane.Write(description, written);
        BinaryPrimitives.ReadInt16LittleEndian(written).ShouldBe((short)-5);
        BinaryPrimitives.ReadInt16LittleEndian(written.AsSpan(2)).ShouldBe((short)1);
        BinaryPrimitives.ReadInt16LittleEndian(written.AsSpan(4)).ShouldBe((short)-2);
        PixelPlane.Read(description, frame).Write(description, written);
        written.ShouldBe(frame);
    }

    [Fact]
    public void A_frame_of_another_length_is_our_own_misuse() =>
        Should.Throw<ArgumentException>(() => PixelPlane.Read(Describe(16, 16, 15, false), new byte[10]));

    [Theory]
    [InlineData(7, 5, int.MinValue)]
    [InlineData(8, 8, 100)]
    public void Cell_sums_are_the_sums_of_four_raised_to_the_floor(int width, int height, int floor)
    {
        int[] samples = [.. Enumerable.Range(0, width * height).Select(static i => (i * 37 % 101) - 20)];
        var plane = new PixelPlane(width, height, samples, -32768, 32767);
        CellSums sums = CellSums.Of(plane, floor);
        sums.Width.ShouldBe(width / 2);
        sums.Height.ShouldBe(height / 2);
        for (int y = 0; y < sums.Height; y++)
        {
            for (int x = 0; x < sums.Width; x++)
            {
                int at = (2 * y * width) + (2 * x);
                sums.Sums[(y * sums.Width) + x].ShouldBe(Math.Max(floor, samples[at] + samples[at + 1] + samples[at + width] + samples[at + width + 1]));
            }
        }

        CellSums.Of(plane).WithFloor(200).Sums.ShouldBe(CellSums.Of(plane, 200).Sums);
    }

    private static PixelDescription Describe(int allocated, int stored, int highBit, bool isSigned) => new()
    {
        Rows = 9,
        Columns = 14,
        BitsAllocated = allocated,
        BitsStored = stored,
        HighBit = highBit,
        IsSigned = isSigned,
        SamplesPerPixel = 1,
        IsPlanar = false,
        PhotometricInterpretation = "MONOCHROME2",
        NumberOfFrames = 1,
        Modality = "CT",
    };
}
