using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

/// <summary>Codestreams of a hundred bytes that ask a library for gigabytes.</summary>
public sealed class Jpeg2000CostTests
{
    [Fact]
    public void Small_precincts_in_a_tile_part_are_counted() =>
        Refusal(Stream(4000, 1, tile: Segment(0x52, [1, 0, 0, 1, 0, 1, 4, 4, 0, 1, 0x11, 0x11]))).ShouldContain("precincts: at most");

    [Fact]
    public void Small_precincts_of_one_component_are_counted()
    {
        Refusal(Stream(4000, 2, main: Segment(0x53, [0, 1, 2, 4, 4, 0, 1, 0x11, 0x11, 0x11]))).ShouldContain("precincts: at most");
        Refusal(Stream(4000, 2, tile: Segment(0x53, [0, 1, 2, 4, 4, 0, 1, 0x11, 0x11, 0x11]))).ShouldContain("precincts: at most");
    }

    [Fact]
    public void Small_precincts_of_the_lowest_resolution_are_counted() =>
        Refusal(Stream(4000, 1, precincts: [0x11, 0xFF])).ShouldContain("precincts: at most");

    [Fact]
    public void Code_blocks_are_counted() => Refusal(Stream(4000, 0, block: 0)).ShouldContain("code-blocks: at most");

    [Fact]
    public void Samples_out_of_nothing_and_above_the_cap_are_refused()
    {
        Refusal(Stream(16000, 5)).ShouldContain("256000000 samples: at most");
        byte[] padded = [.. Stream(16000, 5), .. new byte[60_000]];
        Refusal(padded).ShouldContain("at most 134217728");
    }

    [Fact]
    public void Layers_times_precincts_are_counted() => Refusal(Stream(4000, 0, precincts: [0x66], layers: 65535, data: 9_000)).ShouldContain("packets: at most");

    [Fact]
    public void A_coding_style_that_stands_twice_or_nowhere_is_an_error()
    {
        Refusal(Stream(400, 2, main: Segment(0x53, [0, 0, 2, 4, 4, 0, 1]).Concat(Segment(0x53, [0, 0, 2, 4, 4, 0, 1])).ToArray())).ShouldContain("stands twice");
        Refusal(Stream(400, 33)).ShouldContain("33 levels");
    }

    private static string Refusal(byte[] stream)
    {
        int size = (stream[8] << 24) | (stream[9] << 16) | (stream[10] << 8) | stream[11];
        return Should.Throw<DicomContentException>(() => PixelCodecs.Jpeg2000.Decode(stream, CodecFrames.Gray(size, size, 16, 16))).Message;
    }

    private static byte[] Segment(byte marker, byte[] content) => [0xFF, marker, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2), .. content];

    /// <summary>One tile, 16 bits, code-blocks of 2^(block + 2), whose data are zeros.</summary>
    private static byte[] Stream(int size, int levels, byte block = 4, byte[]? precincts = null, byte[]? main = null, byte[]? tile = null, int layers = 1, int data = 40)
    {
        byte[] side = [(byte)(size >> 24), (byte)(size >> 16), (byte)(size >> 8), (byte)size], none = new byte[8];
        byte[] header = [.. Segment(0x51, [0, 0, .. side, .. side, .. none, .. side, .. side, .. none, 0, 1, 15, 1, 1]),
            .. Segment(0x52, [(byte)(precincts is null ? 0 : 1), 0, (byte)(layers >> 8), (byte)layers, 0, (byte)levels, block, block, 0, 1, .. precincts ?? []]),
            .. main ?? [], .. Segment(0x5C, [0x40, .. Enumerable.Repeat((byte)0x80, (3 * levels) + 1)])];
        int part = 14 + (tile?.Length ?? 0) + data;
        return [0xFF, 0x4F, .. header, .. Segment(0x90, [0, 0, 0, 0, (byte)(part >> 8), (byte)part, 0, 1]), .. tile ?? [], 0xFF, 0x93, .. new byte[data], 0xFF, 0xD9];
    }
}
