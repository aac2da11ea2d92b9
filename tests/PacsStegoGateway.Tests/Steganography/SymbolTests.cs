using System.Diagnostics;
using PacsStegoGateway.Steganography.Qr;

namespace PacsStegoGateway.Tests.Steganography;

public class SymbolTests
{
    public static TheoryData<int> Versions => [.. SymbolSize.All.Select(static size => size.Version)];

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_drawn_symbol_holds_the_codewords_that_are_carried(int version)
    {
        SymbolSize size = SymbolSize.All.Single(s => s.Version == version);
        byte[] payload = Bench.Message(size.PayloadLength, version);

        // Draw compares the drawn codewords with the carried ones and throws when they differ.
        QrPicture picture = QrPicture.Draw(payload);

        picture.Version.ShouldBe(version);
        picture.Edge.ShouldBe(17 + (4 * version));
        (picture[0, 0], picture[1, 1], picture[-1, 0]).ShouldBe((true, false, false));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(25)]
    public void ZXing_reads_the_picture(int version)
    {
        byte[] payload = Payload(version);
        string picture = Picture(payload);

        Run("ZXingReader", ["-bytes", picture]).ShouldBe(payload);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(25)]
    public void Zbar_reads_the_picture(int version)
    {
        byte[] payload = Payload(version);
        string picture = Picture(payload);

        byte[] read = Run("zbarimg", ["--quiet", "--raw", "--oneshot", "-Sbinary", picture]);

        read.AsSpan(0, payload.Length).ToArray().ShouldBe(payload);
    }

    [Fact]
    public void Codewords_survive_errors_and_marked_erasures_up_to_the_codes_limit()
    {
        foreach (SymbolSize size in SymbolSize.All)
        {
            Random random = new(size.Version);
            byte[] payload = Bench.Message(size.PayloadLength, size.Version);
            byte[] codewords = new byte[size.CodewordCount];
            SymbolCodewords.Encode(size, payload, codewords);
            float[] trust = new float[codewords.Length];
            Array.Fill(trust, 10);

            // Parity codewords stand column by column: the first columns hit every block equally often.
            int perBlock = size.ParityLength - 2;
            for (int i = 0; i < perBlock * size.BlockCount; i++)
            {
                codewords[size.DataLength + i] ^= (byte)random.Next(1, 256);
                trust[size.DataLength + i] = 1;
            }

            byte[] read = new byte[size.PayloadLength];
            SymbolCodewords.TryDecode(size, codewords, trust, read).ShouldBeTrue();
            read.ShouldBe(payload);
        }
    }

    [Fact]
    public void Random_codewords_are_refused()
    {
        SymbolSize size = SymbolSize.All[2];
        byte[] noise = Bench.Message(size.CodewordCount, 77);

        SymbolCodewords.TryDecode(size, noise, new float[noise.Length], new byte[size.PayloadLength]).ShouldBeFalse();
    }

    [Fact]
    public void A_payload_that_fills_no_symbol_is_not_drawn() =>
        Should.Throw<ArgumentException>(() => QrPicture.Draw(new byte[100]));

    private static byte[] Payload(int version) => Bench.Message(SymbolSize.All.Single(s => s.Version == version).PayloadLength, version);

    private static string Picture(byte[] payload)
    {
        byte[] pixels = QrPicture.Draw(payload).Render(6, out int edge);
        string path = Path.Combine(Directory.CreateTempSubdirectory("psg-qr-").FullName, "symbol.pgm");
        File.WriteAllBytes(path, [.. System.Text.Encoding.ASCII.GetBytes($"P5\n{edge} {edge}\n255\n"), .. pixels]);
        return path;
    }

    private static byte[] Run(string program, string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"{program} is not installed.");
            throw;
        }

        using (process)
        using (MemoryStream output = new())
        {
            process.StandardOutput.BaseStream.CopyTo(output);
            process.WaitForExit(30_000).ShouldBeTrue();
            return output.ToArray();
        }
    }
}
