using PacsStegoGateway.Segmentation;

namespace PacsStegoGateway.Tests.Segmentation;

/// <summary>Each operation against its definition, spelled out the slow way, on random masks of several densities.</summary>
public sealed class CellGridTests
{
    public static TheoryData<int, int, int> Sizes => new() { { 1, 1, 50 }, { 1, 9, 50 }, { 9, 1, 30 }, { 40, 37, 10 }, { 40, 37, 45 }, { 65, 70, 60 }, { 100, 33, 80 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Joined_to_border_is_what_a_walk_from_the_edge_reaches(int width, int height, int percent)
    {
        byte[] mask = Random(width, height, percent);
        byte[] joined = new byte[mask.Length];
        new CellGrid(width, height, new int[mask.Length]).JoinedToBorder(mask, joined);
        joined.ShouldBe(Walk(mask, width, height));
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Filled_holes_are_what_the_walk_does_not_reach(int width, int height, int percent)
    {
        byte[] mask = Random(width, height, percent);
        byte[] expected = [.. Walk(mask, width, height).Select(o => (byte)(1 - o))];
        new CellGrid(width, height, new int[mask.Length]).FillHoles(mask, new byte[mask.Length]);
        mask.ShouldBe(expected);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Dilation_sets_every_cell_within_the_square(int width, int height, int percent)
    {
        byte[] mask = Random(width, height, percent / 10);
        foreach (int radius in new[] { 1, 3, 6 })
        {
            byte[] result = new byte[mask.Length];
            new CellGrid(width, height, new int[mask.Length]).Dilate(mask, result, new byte[mask.Length], radius);
            result.ShouldBe(Each(width, height, (x, y) => Around(x, y, width, height, radius).Any(p => mask[p] == 1)));
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_bay_is_a_cell_that_looks_at_the_mask_in_three_directions(int width, int height, int percent)
    {
        byte[] mask = Random(width, height, percent / 5);
        byte[] expected = Each(width, height, (x, y) => mask[(y * width) + x] == 1
            || new[]
            {
                Enumerable.Range(0, x).Any(i => mask[(y * width) + i] == 1),
                Enumerable.Range(x, width - x).Any(i => mask[(y * width) + i] == 1),
                Enumerable.Range(0, y).Any(i => mask[(i * width) + x] == 1),
                Enumerable.Range(y, height - y).Any(i => mask[(i * width) + x] == 1),
            }.Count(seen => seen) >= 3);
        new CellGrid(width, height, new int[mask.Length]).FillBays(mask, new byte[mask.Length]);
        mask.ShouldBe(expected);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Islands_are_split_by_size_and_growing_takes_those_that_touch(int width, int height, int percent)
    {
        byte[] mask = Random(width, height, percent);
        List<int[]> islands = Islands(mask, width, height);
        byte[] bodies = new byte[mask.Length];
        byte[] small = [.. Enumerable.Repeat((byte)7, mask.Length)];
        new CellGrid(width, height, new int[mask.Length]).SplitIslands((byte[])mask.Clone(), bodies, small, 5);
        bodies.ShouldBe(Of(islands.Where(i => i.Length >= 5), mask.Length));
        small.ShouldBe(Of(islands.Where(i => i.Length < 5), mask.Length));
        new CellGrid(width, height, new int[mask.Length]).LargestIsland((byte[])mask.Clone()).ShouldBe(islands.Select(i => i.Length).DefaultIfEmpty().Max());

        byte[] seed = new byte[mask.Length];
        seed[mask.Length / 2] = 1;
        byte[] expected = Of(islands.Where(i => i.Any(p => Around(p % width, p / width, width, height, 1).Contains(mask.Length / 2))), mask.Length);
        expected[mask.Length / 2] = 1;
        new CellGrid(width, height, new int[mask.Length]).GrowInto(seed, (byte[])mask.Clone());
        seed.ShouldBe(expected);
    }

    private static byte[] Random(int width, int height, int percent)
    {
        Random random = new((width * 1000) + percent);
        return Each(width, height, (_, _) => random.Next(100) < percent);
    }

    private static byte[] Walk(byte[] mask, int width, int height)
    {
        byte[] reached = new byte[mask.Length];
        for (bool grew = true; grew;)
        {
            grew = false;
            for (int p = 0; p < mask.Length; p++)
            {
                (int x, int y) = (p % width, p / width);
                bool isEdge = x == 0 || y == 0 || x == width - 1 || y == height - 1;
                bool touches = isEdge || reached[p - 1] + reached[p + 1] + reached[p - width] + reached[p + width] > 0;
                if (mask[p] == 0 && reached[p] == 0 && touches)
                {
                    reached[p] = 1;
                    grew = true;
                }
            }
        }

        return reached;
    }

    private static List<int[]> Islands(byte[] mask, int width, int height)
    {
        List<int[]> found = [];
        HashSet<int> seen = [];
        for (int start = 0; start < mask.Length; start++)
        {
            if (mask[start] == 0 || !seen.Add(start))
            {
                continue;
            }

            List<int> island = [start];
            for (int next = 0; next < island.Count; next++)
            {
                island.AddRange(Around(island[next] % width, island[next] / width, width, height, 1).Where(p => mask[p] == 1 && seen.Add(p)));
            }

            found.Add([.. island]);
        }

        return found;
    }

    private static byte[] Of(IEnumerable<int[]> islands, int length)
    {
        byte[] mask = new byte[length];
        foreach (int cell in islands.SelectMany(i => i))
        {
            mask[cell] = 1;
        }

        return mask;
    }

    private static IEnumerable<int> Around(int x, int y, int width, int height, int radius) =>
        from ny in Enumerable.Range(y - radius, (2 * radius) + 1)
        from nx in Enumerable.Range(x - radius, (2 * radius) + 1)
        where nx >= 0 && nx < width && ny >= 0 && ny < height
        select (ny * width) + nx;

    private static byte[] Each(int width, int height, Func<int, int, bool> isSet) =>
        [.. Enumerable.Range(0, width * height).Select(p => isSet(p % width, p / width) ? (byte)1 : (byte)0)];
}
